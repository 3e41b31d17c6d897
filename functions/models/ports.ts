/**
 * The ports of the handlers: minimal interfaces of models that tests can fake.
 *
 * `services.ts` implements them.
 *
 * @module
 */

import type { ClipConfig } from "../../models/config/clip_config.ts";
import type { GenerationConfig } from "../../models/config/generation_config.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { PreprocessorConfig } from "../../models/config/preprocessor_config.ts";
import type { Budget } from "../../lib/async/budget.ts";
import type { DeviceStrategies } from "../../lib/drawing/device_strategies.ts";
import type { StrategyName } from "../../lib/drawing/strategy.ts";
import type { EngineState } from "../../lib/engine/engine.ts";
import type { CacheDtype } from "../../lib/runtime/provider.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { TextTokenizer } from "../../lib/text/text_tokenizer.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import type { PicturePoolState } from "../../lib/image/threads/picture_pool.ts";
import type { VideoEncoder } from "../../lib/image/ffmpeg.ts";
import type { VideoReader } from "../../lib/image/video/reader.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import type { Call } from "../http/call.ts";
import type { HeldState } from "./lazy_resource.ts";
import type { Precision } from "./precision.ts";

/** A vision tokenizer between pictures and codes. */
export interface VisionModel extends
  Pick<
    VisionTokenizer,
    | "encode"
    | "decode"
    | "encodeClip"
    | "decodeClip"
    | "pixelsPerCode"
    | "framesPerCode"
    | "codebookSize"
    | "runBytesPerPixel"
    | "deviceMemoryBytes"
  > {
  /** Origin of the model, and its preprocessing. */
  readonly checkpoint: {
    /** Name of its folder. */
    readonly name: string;
    /** Preprocessing of pictures. */
    readonly preprocessor: Pick<PreprocessorConfig, "minPixels" | "maxPixels">;
  };
}

/** The text side of a model: text ⇄ tokens, without the weights. */
export interface TextModel {
  /** Name of its folder. */
  readonly name: string;
  /** Sizes of the model. */
  readonly config: Pick<LanguageConfig, "imageArea">;
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** Tokenizer between text and tokens. */
  readonly text: TextTokenizer;
  /** Token ids by their meaning. */
  readonly vocabulary: Vocabulary;
  /** Names of its adapters; none by default. */
  readonly adapters?: readonly string[];
}

/** A language model and the vision tokenizer it was trained with. */
export interface ModelPair {
  /** Model of tokens. */
  readonly language: LanguageModel;
  /** Model of pixels. */
  readonly vision: VisionModel;
  /** Adapter that the model's name chose, as in `emu3-mini:mine`. */
  readonly adapter?: string | undefined;
  /** Names of the language model's adapters; none by default. */
  readonly adapters?: readonly string[];
}

/** A model pair that draws. */
export interface ImageGenerator extends ModelPair {
  /** Strategy that pictures are drawn with, unless a request sets one. */
  readonly strategy: StrategyName;
  /** Codes that `jacobi` scores in a forward pass; the default if undefined. */
  readonly window?: number | undefined;
  /** Strategies that a request may set; all by default. */
  readonly strategies?: readonly StrategyName[] | undefined;
}

/** Limits that are the same for all requests. */
export interface Limits {
  /** Largest body, in bytes. */
  readonly maxBodyBytes: number;
  /** Most pixels of a decoded picture, or of all frames of an animation. */
  readonly maxPixels: number;
  /** Most frames of pixels in a clip or an animation; 256 by default. */
  readonly maxFrames?: number;
  /** Bytes of memory that the process may use; unlimited by default. */
  readonly memoryBytes?: number;
}

/** A fetched picture; its bytes count until it is disposed of. */
export interface FetchedPicture extends Disposable {
  /** Bytes of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The tools that all functions share. */
export interface Tools {
  /** Codec between pictures and bytes. */
  readonly codec: PictureCodec;
  /** Budget of pixel bytes that all requests hold together. */
  readonly pixels: Budget;
  /** Limits that are the same for all requests. */
  readonly limits: Limits;
  /** Encodes frames as MP4; undefined without an encoder. */
  readonly encodeVideo?: VideoEncoder | undefined;
  /** Opens video files; undefined without a program for them. */
  readonly readVideo?: VideoReader | undefined;
  /**
   * Fetches the picture that a field gives by URL; undefined if fetching is
   * disabled.
   *
   * @param pointer JSON pointer of the field.
   * @throws {InvalidFieldsError} If it may not or cannot be fetched.
   * @throws {OverloadedError} If all requests together hold too many bytes.
   */
  readonly fetchPicture?:
    | ((
      url: string,
      pointer: string,
      call: Pick<Call, "signal" | "caller">,
    ) => Promise<FetchedPicture>)
    | undefined;
}

/** The dependencies of `generate`. */
export interface ImageGenerators extends Tools {
  /**
   * Returns the models that draw.
   *
   * @throws {NotFoundError} If there is none of this name.
   * @throws {NotReadyError} If it is not loaded.
   */
  imageGenerator(model: string | undefined): ImageGenerator;
  /**
   * Returns the models that draw clips, opened on first use; throws as
   * `imageGenerator` does. Undefined if they are those of pictures.
   */
  clipGenerator?(model: string | undefined): Promise<ImageGenerator>;
}

/** The dependencies of `caption`. */
export interface Captioners extends Tools {
  /** Returns the models that answer; throws as `imageGenerator` does. */
  captioner(model: string | undefined): ModelPair;
}

/** The dependencies of `tokenize` and `detokenize`. */
export interface Tokenizers extends Tools {
  /** Returns the vision tokenizer; throws as `imageGenerator` does. */
  vision(model: string | undefined): VisionModel;
  /**
   * Returns the text side, opened on first use; throws as `imageGenerator`
   * does.
   */
  text(model: string | undefined): Promise<TextModel>;
}

/** The settings of a model's clips, known before it is opened. */
export interface ClipListing extends ClipConfig {
  /** Default area of a frame, in pixels². */
  readonly imageArea: number;
  /** Prompts that it knows. */
  readonly prompts: Pick<
    GenerationConfig,
    "examples" | "subjects" | "knownWords"
  >;
}

/** A listed model. */
export interface ModelListing {
  /** Name of its folder. */
  readonly name: string;
  /** Aliases of the model; undefined for none. */
  readonly aliases?: readonly string[];
  /** Names of a language model's adapters; undefined for none. */
  readonly adapters?: readonly string[];
  /** Commit of its repository; undefined if unknown. */
  readonly revision: string | undefined;
  /** Functions that it serves. */
  readonly capabilities: readonly string[];
  /** Numeric format of its weights in memory. */
  readonly precision: string;
  /** Device that it runs on. */
  readonly device: string;
  /** State of the model. */
  readonly state: HeldState;
  /** Settings of a language model's clips; undefined for none. */
  readonly clips?: ClipListing | undefined;
  /** Details of a language model, once it was opened. */
  readonly details: ModelDetails | undefined;
  /** Engine state of a language model, while it is open. */
  readonly engine: EngineListing | undefined;
  /** Preprocessing of a vision tokenizer, once it was opened. */
  readonly preprocessing?: PreprocessingListing | undefined;
}

/** The preprocessing of pictures, from a vision tokenizer's files. */
export interface PreprocessingListing extends PreprocessorConfig {
  /** Files that were read; empty if the published values apply. */
  readonly files: readonly string[];
}

/** The load of a language model, and its use of memory. */
export interface EngineListing extends EngineState {
  /** Type of keys and values. */
  readonly cacheDtype: CacheDtype;
  /** Bytes that keys and values of one token take. */
  readonly cacheTokenBytes: number;
}

/** The details that a language model's files and its device give. */
export interface ModelDetails extends DeviceStrategies {
  /** Default area of a generated picture, in pixels². */
  readonly imageArea: number;
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number;
  /** Example prompts that work well. */
  readonly examples: readonly string[];
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** Numeric format of its weights in memory. */
  readonly precision: Precision;
}

/** The dependencies of `/v1/models` and the health routes. */
export interface Listing extends Pick<Tools, "limits" | "readVideo"> {
  /** Returns listings of all models, loaded or not. */
  models(): readonly ModelListing[];
  /** Seconds from the start of the process until ready; undefined before. */
  readonly startSeconds?: number | undefined;
  /** Load of the picture codec; undefined if it is not measured. */
  readonly pictures?: PictureLoad | undefined;
}

/** The load of the picture codec and of the memory for pictures. */
export interface PictureLoad extends PicturePoolState {
  /** Bytes of pixels, and the requests that wait for them. */
  readonly budget: Pick<Budget, "held" | "total" | "waiting">;
}
