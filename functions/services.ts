/**
 * The models that a server has: opened once each, and only what its functions
 * need.
 *
 * ```text
 * FUNCTIONS    language model         vision tokenizer
 * generate     head for codes         decoder
 * caption      head for vocabulary    encoder
 * tokenize     text files, lazily     encoder
 * detokenize   text files, lazily     decoder
 * ```
 *
 * @module
 */

import {
  STRATEGY_OF_SEVERAL,
  type StrategyName,
} from "../lib/drawing/strategy.ts";
import type { CacheDtype } from "../lib/engine/kv_cache.ts";
import { Runtime } from "../lib/runtime/runtime.ts";
import { findFfmpeg, type VideoEncoder } from "../lib/vision/ffmpeg.ts";
import type { PictureCodec } from "../lib/vision/picture_codec.ts";
import {
  DEFAULT_DEADLINE_MS,
  openPictureWorker,
  type PictureWorker,
} from "../lib/vision/picture_worker.ts";
import { pictureFetcher } from "./fetch_picture.ts";
import type { FunctionName } from "./function_names.ts";
import { Held } from "./held.ts";
import { type Lineup, planLineup, type Seat } from "./lineup.ts";
import {
  engineListing,
  languageCapabilities,
  mergeListings,
  UNLOADED,
  visionCapabilities,
} from "./model_listing.ts";
import {
  languageOpener,
  type ServedLanguage,
  type ServedText,
  textOpener,
  visionOpener,
} from "./openers.ts";
import type { OutsideNetwork } from "./outside_request.ts";
import type {
  Answerers,
  Drawer,
  Drawers,
  Limits,
  Listing,
  ModelListing,
  ModelPair,
  TextModel,
  Tokenizers,
  Tools,
  VisionModel,
} from "./ports.ts";
import type { Precision, PrecisionOptions } from "./precision.ts";
import { UnknownModelError } from "./refusals.ts";
import { VERSION } from "./version.ts";
import type { VisionTokenizer } from "../lib/vision/vision_tokenizer.ts";

/** Vision tokenizers are small and stay as they are. */
const VISION_PRECISION = "fp32";

/** What a server is to have. */
export interface ServiceOptions {
  /** Folders of checkpoints. */
  readonly folders: {
    /** Draws. */
    readonly gen: string;
    /** Answers. */
    readonly chat: string;
    /** For both; undefined for the one that belongs to each. */
    readonly vision: string | undefined;
  };
  /** What is served. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Threads that compute. */
  readonly threads: number;
  /** Sequences decoded together, by each language model. */
  readonly slots: number;
  /** Format of the language models' weights; undefined for as they are. */
  readonly precision: Precision | undefined;
  /** Folder for copies of models; undefined where nothing can be kept. */
  readonly copyFolder: string | undefined;
  /** Name or path of the program that makes videos; undefined for none. */
  readonly ffmpeg?: string;
  /** Told what takes long for a reason that can be removed. */
  readonly warn: (line: string) => void;
  /** Requests that may wait, by each language model. */
  readonly queueLimit: number;
  /** That the process may have. */
  readonly memoryBytes: number;
  /** For keys and values of all language models. */
  readonly cacheBytes: number;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype: CacheDtype | undefined;
  /** In which way pictures are drawn; undefined for what is fastest. */
  readonly strategy: StrategyName | undefined;
  /** Where pictures are fetched by URL; undefined for nowhere. */
  readonly pictureNetwork: OutsideNetwork | undefined;
  /** What is the same for all requests. */
  readonly limits: Limits;
}

/** All models of a server. */
export class Services
  implements Drawers, Answerers, Tokenizers, Listing, AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #lineup: Lineup;
  readonly #runtime: Runtime;
  readonly #worker: PictureWorker;
  readonly #languages = new Map<string, Held<ServedLanguage>>();
  readonly #texts = new Map<string, Held<ServedText>>();
  readonly #visions = new Map<string, Held<VisionTokenizer>>();
  /** Fetches pictures by URL; undefined where none are fetched. */
  readonly fetchPicture: Tools["fetchPicture"];
  /** Settles when everything that functions need is loaded and warm. */
  readonly loaded: Promise<void>;

  /** Frames → MP4, where there is a program that does it. */
  readonly encodeVideo: VideoEncoder | undefined;

  private constructor(
    options: ServiceOptions,
    lineup: Lineup,
    encodeVideo: VideoEncoder | undefined,
  ) {
    this.encodeVideo = encodeVideo;
    this.#options = options;
    this.#lineup = lineup;
    this.#runtime = new Runtime({ threads: options.threads });
    this.#worker = openPictureWorker({ deadlineMs: DEFAULT_DEADLINE_MS });
    const { pictureNetwork: network, limits } = options;
    this.fetchPicture = network &&
      pictureFetcher(network, { maxBytes: limits.maxBodyBytes });
    this.#seatVisions();
    this.#seatLanguages();
    this.loaded = this.#load();
    // Whoever awaits it is told; until then it must not count as unhandled.
    this.loaded.catch(() => undefined);
  }

  /**
   * Starts loading.
   *
   * @throws {CheckpointError} When a folder is missing.
   * @throws {RuntimeError} When ONNX Runtime cannot be opened.
   */
  static async start(options: ServiceOptions): Promise<Services> {
    const { ffmpeg, functions } = options;
    const encodeVideo = ffmpeg !== undefined && functions.has("detokenize")
      ? await findFfmpeg(ffmpeg)
      : undefined;
    return new Services(options, await planLineup(options), encodeVideo);
  }

  /** Pictures ⇄ bytes. */
  get codec(): PictureCodec {
    return this.#worker;
  }

  /** What is the same for all requests. */
  get limits(): Limits {
    return this.#options.limits;
  }

  /** Where models run. */
  get device(): string {
    return "cpu";
  }

  /** In what numeric format. */
  get precision(): string {
    const languages = [...this.#languages.values()];
    const precisions = languages.map((held) => this.#precisionOf(held));
    return [...new Set(precisions)].join(", ") || VISION_PRECISION;
  }

  /** The models that draw. */
  drawer(model: string | undefined): Drawer {
    const pair = this.#pair(this.#seat(model, ({ draws }) => draws));
    const { strategy: always } = this.#options;
    const { strategy: ofOne } = pair.language.details;
    return {
      ...pair,
      strategy: (count) =>
        always ?? (count === 1 ? ofOne : STRATEGY_OF_SEVERAL),
    };
  }

  /** The models that answer. */
  answerer(model: string | undefined): ModelPair {
    return this.#pair(this.#seat(model, ({ answers }) => answers));
  }

  /** What tells the answers of a model from those of another of its name. */
  readonly identify = (name: string): string => {
    const places = this.#lineup.seats
      .flatMap(({ language, vision }) => [language, vision])
      .filter((place) => place.name === name);
    const parts = places.map(({ key, fingerprint }) => {
      const held = this.#languages.get(key);
      const dtype = held?.peek()?.cache.dtype;
      return [fingerprint, this.#precisionOf(held), dtype];
    });
    const { threads } = this.#options;
    return JSON.stringify([VERSION, this.device, threads, name, parts]);
  };

  /** Pictures ⇄ codes, by the name of either model. */
  vision(model: string | undefined): VisionModel {
    const seat = this.#seat(model, () => true);
    const held = this.#visions.get(seat.vision.key)!;
    // One that no function was said to need is opened when it is named.
    held.load().catch(() => undefined);
    return held.get();
  }

  /** Text ⇄ tokens, opened when first asked for. */
  async text(model: string | undefined): Promise<TextModel> {
    const seat = this.#seat(model, () => true);
    const language = this.#languages.get(seat.language.key);
    if (language !== undefined) return language.get();
    const { key, name } = seat.language;
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = new Held(name, textOpener(seat));
      this.#texts.set(key, text);
    }
    await text.load().catch(() => undefined);
    return text.get();
  }

  /** All models, loaded or not. */
  models(): readonly ModelListing[] {
    const { functions } = this.#options;
    const { device } = this;
    const parts = this.#lineup.seats.flatMap(
      ({ language, vision, ...seat }) => {
        const served = this.#languages.get(language.key);
        const opened = served?.peek();
        return [
          {
            name: language.name,
            revision: language.revision,
            capabilities: languageCapabilities(seat),
            state: (served ?? this.#texts.get(language.key))?.state ?? UNLOADED,
            details: opened?.details,
            engine: opened && engineListing(opened),
            precision: this.#precisionOf(served),
          },
          {
            name: vision.name,
            revision: vision.revision,
            capabilities: visionCapabilities(functions),
            state: this.#visions.get(vision.key)!.state,
            details: undefined,
            engine: undefined,
            precision: VISION_PRECISION,
          },
        ];
      },
    );
    return mergeListings(
      parts.map((part) => ({ ...part, device })),
    );
  }

  /** Ends what runs, then closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    const held = [
      ...this.#languages.values(),
      ...this.#texts.values(),
      ...this.#visions.values(),
    ];
    for (const one of held) await one[Symbol.asyncDispose]();
    await this.#worker[Symbol.asyncDispose]();
    await this.#runtime[Symbol.asyncDispose]();
  }

  #seatVisions(): void {
    for (const { vision } of this.#lineup.seats) {
      if (this.#visions.has(vision.key)) continue;
      const directions = this.#lineup.directions.get(vision.key) ?? new Set();
      const open = visionOpener(this.#runtime, vision.folder, directions);
      this.#visions.set(vision.key, new Held(vision.name, open));
    }
  }

  #seatLanguages(): void {
    const needed = this.#lineup.seats.filter(({ draws, answers }) =>
      draws || answers
    );
    const { slots, queueLimit, memoryBytes, cacheBytes, cacheDtype, strategy } =
      this.#options;
    for (const seat of needed) {
      const vision = this.#visions.get(seat.vision.key)!;
      const open = languageOpener(this.#runtime, seat, vision, {
        slots,
        queueLimit,
        strategy,
        weights: this.#weights(),
        memoryBytes,
        cacheBytes: Math.floor(cacheBytes / needed.length),
        cacheDtype,
      });
      this.#languages.set(
        seat.language.key,
        new Held(seat.language.name, open),
      );
    }
  }

  #weights(): PrecisionOptions {
    const { precision, copyFolder, threads, warn } = this.#options;
    const program = `emu3 ${VERSION}`;
    return { precision, cacheFolder: copyFolder, threads, program, warn };
  }

  /** That of a model that is open, else the one that it will have. */
  #precisionOf(held: Held<ServedLanguage> | undefined): Precision {
    return held?.peek()?.details.precision ?? this.#options.precision ?? "fp32";
  }

  /** All at once; the first failure is told, after the rest has settled. */
  async #load(): Promise<void> {
    const visions = [...this.#lineup.directions.keys()]
      .map((key) => this.#visions.get(key)!);
    const languages = [...this.#languages.values()];
    const results = await Promise.allSettled(
      [...visions, ...languages].map((held) => held.load()),
    );
    const failed = results.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  #pair(seat: Seat) {
    return {
      language: this.#languages.get(seat.language.key)!.get(),
      vision: this.#visions.get(seat.vision.key)!.get(),
    };
  }

  /** The seat that a request names, by either of its models. */
  #seat(model: string | undefined, serves: (seat: Seat) => boolean): Seat {
    const able = this.#lineup.seats.filter(serves);
    const seat = able.find(({ language, vision }) =>
      model === undefined || model === language.name || model === vision.name
    );
    if (seat !== undefined) return seat;
    const names = able.flatMap(({ language, vision }) => [
      language.name,
      vision.name,
    ]);
    throw new UnknownModelError(model ?? "", [...new Set(names)]);
  }
}
