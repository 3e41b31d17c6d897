/**
 * What handlers need of models, as interfaces small enough to fake.
 *
 * `services.ts` has the real ones.
 *
 * @module
 */

import type { GenerationConfig } from "../../models/config/generation_config.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { PreprocessorConfig } from "../../models/config/preprocessor_config.ts";
import type { Budget } from "../../lib/async/budget.ts";
import type { StrategyName } from "../../lib/drawing/strategy.ts";
import type { EngineState } from "../../lib/engine/engine.ts";
import type { CacheDtype } from "../../lib/decoder/kv_cache.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { TextTokenizer } from "../../lib/text/text_tokenizer.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import type { PicturePoolState } from "../../lib/image/threads/picture_pool.ts";
import type { VideoEncoder } from "../../lib/image/ffmpeg.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import type { Call } from "../http/call.ts";
import type { HeldState } from "./lazy_resource.ts";
import type { Precision } from "./precision.ts";

/** Pictures ⇄ codes. */
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
  > {
  /** Where it came from, and how pictures are prepared for it. */
  readonly checkpoint: {
    /** Name of its folder. */
    readonly name: string;
    /** What is done to pictures first. */
    readonly preprocessor: Pick<PreprocessorConfig, "minPixels" | "maxPixels">;
  };
}

/** Text ⇄ tokens, without the model behind. */
export interface TextModel {
  /** Name of its folder. */
  readonly name: string;
  /** Sizes. */
  readonly config: Pick<LanguageConfig, "imageArea">;
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** Text ⇄ tokens. */
  readonly text: TextTokenizer;
  /** Which token means what. */
  readonly vocabulary: Vocabulary;
}

/** A language model and the vision tokenizer it was trained with. */
export interface ModelPair {
  /** Tokens. */
  readonly language: LanguageModel;
  /** Pixels. */
  readonly vision: VisionModel;
}

/** Models that draw. */
export interface Drawer extends ModelPair {
  /** In which way pictures are drawn, unless a request says otherwise. */
  readonly strategy: StrategyName;
  /** Ways that the device cannot; undefined for none. */
  readonly refused?: ReadonlySet<StrategyName> | undefined;
}

/** What is the same for all requests. */
export interface Limits {
  /** Of a body. */
  readonly maxBodyBytes: number;
  /** Of a picture that is decoded, or of all frames of an animation. */
  readonly maxPixels: number;
  /** Of a clip or an animation, in frames of pixels; 256 when left out. */
  readonly maxFrames?: number;
  /** Of one run of the vision tokenizer; those of 1024 × 1024 when left out. */
  readonly maxRunPixels?: number;
}

/** A picture that was fetched; its bytes count until it is disposed. */
export interface FetchedPicture extends Disposable {
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What all functions share. */
export interface Tools {
  /** Pictures ⇄ bytes. */
  readonly codec: PictureCodec;
  /** Bytes of pixels that all requests hold together. */
  readonly pixels: Budget;
  /** What is the same for all requests. */
  readonly limits: Limits;
  /**
   * What tells the answers of a model from those of another one that has its
   * name: files, precision, device, version. Where it is undefined, answers have
   * no tags.
   */
  readonly identify?: (name: string) => string;
  /** Frames → MP4; undefined where no program does it. */
  readonly encodeVideo?: VideoEncoder | undefined;
  /**
   * Fetches the picture that a field names by its URL; undefined where none are
   * fetched.
   *
   * @param pointer Of the field.
   * @throws {InvalidFieldsError} When it may not or cannot be fetched.
   * @throws {OverloadedError} When all requests hold too much together.
   */
  readonly fetchPicture?:
    | ((
      url: string,
      pointer: string,
      call: Pick<Call, "signal" | "caller">,
    ) => Promise<FetchedPicture>)
    | undefined;
}

/** For `generate`. */
export interface Drawers extends Tools {
  /**
   * The models that draw.
   *
   * @throws {NotFoundError} When there is none of this name.
   * @throws {NotReadyError} When it is not loaded.
   */
  drawer(model: string | undefined): Drawer;
}

/** For `caption`. */
export interface Answerers extends Tools {
  /** The models that answer; throws as `drawer` does. */
  answerer(model: string | undefined): ModelPair;
}

/** For `tokenize` and `detokenize`. */
export interface Tokenizers extends Tools {
  /** Pictures ⇄ codes; throws as `drawer` does. */
  vision(model: string | undefined): VisionModel;
  /** Text ⇄ tokens, opened when first asked for; throws as `drawer` does. */
  text(model: string | undefined): Promise<TextModel>;
}

/** A model as it is listed. */
export interface ModelListing {
  /** Name of its folder. */
  readonly name: string;
  /** Other names of it; undefined for none. */
  readonly aliases?: readonly string[];
  /** Commit of its repository; undefined when nothing says it. */
  readonly revision: string | undefined;
  /** Functions that it serves. */
  readonly capabilities: readonly string[];
  /** Numeric format of its weights in memory. */
  readonly precision: string;
  /** Where it runs. */
  readonly device: string;
  /** Where it stands. */
  readonly state: HeldState;
  /** Known once a language model is opened. */
  readonly details: ModelDetails | undefined;
  /** Known while a language model is open. */
  readonly engine: EngineListing | undefined;
  /** Known once a vision tokenizer is opened. */
  readonly preprocessing?: PreprocessingListing | undefined;
}

/** The preprocessing of pictures, by a vision tokenizer's files. */
export interface PreprocessingListing extends PreprocessorConfig {
  /** Files that were read; empty where the published values hold. */
  readonly files: readonly string[];
}

/** How busy a language model is, and what for its memory is used. */
export interface EngineListing extends EngineState {
  /** Type of keys and values. */
  readonly cacheDtype: CacheDtype;
  /** Bytes that keys and values of one token take. */
  readonly cacheTokenBytes: number;
}

/** What a language model's files say. */
export interface ModelDetails {
  /** Default area of a drawn picture, in pixels². */
  readonly imageArea: number;
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number;
  /** Prompts that work well. */
  readonly examples: readonly string[];
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** In which way it draws, unless a request says otherwise. */
  readonly strategy: StrategyName;
  /** Numeric format of its weights in memory. */
  readonly precision: Precision;
}

/** For `/v1/models` and health. */
export interface Listing extends Pick<Tools, "limits"> {
  /** All models, loaded or not. */
  models(): readonly ModelListing[];
  /** From the start of the process until all was ready; undefined before. */
  readonly startSeconds?: number | undefined;
  /** The load of the picture codec; undefined where nothing tells it. */
  readonly pictures?: PictureLoad | undefined;
}

/** The load of the picture codec, and of the memory for pictures. */
export interface PictureLoad extends PicturePoolState {
  /** Bytes of pixels, and the requests that wait for some. */
  readonly budget: Pick<Budget, "held" | "total" | "waiting">;
}
