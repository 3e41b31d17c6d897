/**
 * All that a server has: models that are on their way, then loading, then ready.
 *
 * ```text
 * sources ─▶ obtained ─▶ lineup ─▶ enough memory? ─▶ loaded, warm
 *    │         └ a vision tokenizer of its own opens as soon as it is here
 *    └ listed at once, by the names that they imply
 * ```
 *
 * `seated.ts` has the models once their files are here.
 *
 * @module
 */

import type { Budget } from "../../lib/async/budget.ts";
import type { CacheDtype } from "../../lib/decoder/kv_cache.ts";
import type { Provider } from "../../lib/runtime/provider.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { findFfmpeg, type VideoEncoder } from "../../lib/image/ffmpeg.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import type { PicturePool } from "../../lib/image/threads/picture_pool.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { type DeviceOptions, expectedProvider, openDevice } from "./device.ts";
import { pictureFetcher } from "../outbound/fetch_image.ts";
import { pixelBudget } from "../inference/pixel_budget.ts";
import type { FunctionName } from "../schema/function_names.ts";
import { LazyResource, reasonOf } from "./lazy_resource.ts";
import {
  directionsOf,
  type ModelPlan,
  planLineup,
  type Sources,
  type WantedLanguage,
  wantedLanguages,
} from "./model_plan.ts";
import { refuseCrowded } from "./memory_budget.ts";
import { type ModelAliases, withAliases } from "./model_aliases.ts";
import {
  languageCapabilities,
  mergeListings,
  visionCapabilities,
} from "./model_listing.ts";
import { type Obtain, PendingDownload } from "./pending_download.ts";
import { openCodec, visionOpener, warmCodec } from "./load_models.ts";
import type { OutsideNetwork } from "../outbound/request.ts";
import { type Phase, PhaseLog } from "./load_phases.ts";
import type {
  Answerers,
  Drawer,
  Drawers,
  Limits,
  Listing,
  ModelListing,
  ModelPair,
  PictureLoad,
  TextModel,
  Tokenizers,
  Tools,
  VisionModel,
} from "./ports.ts";
import { floatPrecision } from "./precision.ts";
import { NotReadyError } from "../http/errors/errors.ts";
import { ModelPool, VISION_PRECISION } from "./model_pool.ts";

/** What a server is to have. */
export interface ServiceOptions extends DeviceOptions {
  /** Where checkpoints are: what {@linkcode ServiceOptions.obtain} takes. */
  readonly folders: Sources;
  /** Brings a source to this machine. */
  readonly obtain: Obtain;
  /** Hears what the start does; of a model, or for all where it is "". */
  readonly onPhase?: (model: string, phase: Phase) => void;
  /** What is served. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Sequences decoded together, by each language model. */
  readonly slots: number;
  /** Folder for copies of models; undefined where nothing can be kept. */
  readonly copyFolder: string | undefined;
  /** Name or path of the program that makes videos; undefined for none. */
  readonly ffmpeg?: string;
  /** Requests that may wait, by each language model. */
  readonly queueLimit: number;
  /** Other names of models; undefined for none. */
  readonly aliases?: ModelAliases;
  /** That the process may have. */
  readonly memoryBytes: number;
  /** For keys and values of all language models; undefined for a quarter. */
  readonly cacheBytes: number | undefined;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype: CacheDtype | undefined;
  /** Where pictures are fetched by URL; undefined for nowhere. */
  readonly pictureNetwork: OutsideNetwork | undefined;
  /** Bytes of pixels that all requests hold; undefined for a default. */
  readonly pixelBytes: number | undefined;
  /** Threads that decode and encode pictures; 2 by default. */
  readonly codecThreads?: number | undefined;
  /** What is the same for all requests. */
  readonly limits: Limits;
}

/** A language model whose files are on their way, and what it is for. */
interface Coming extends Pick<WantedLanguage, "draws" | "answers"> {
  readonly files: PendingDownload;
}

/** All models of a server. */
export class Services
  implements Drawers, Answerers, Tokenizers, Listing, AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #codec: PicturePool;
  /** Bytes of pixels that all requests hold together. */
  readonly pixels: Budget;
  readonly #stop = new AbortController();
  readonly #library: PhaseLog;
  readonly #runtime: Promise<Runtime>;
  readonly #languages: readonly Coming[];
  readonly #vision: PendingDownload | undefined;
  /** The tokenizer that is named for all models. */
  readonly #commonVision: LazyResource<VisionTokenizer> | undefined;
  #seated: ModelPool | undefined;
  #provider: Provider;
  #encodeVideo: VideoEncoder | undefined;
  #failure: string | undefined;
  #startSeconds: number | undefined;
  /** Fetches pictures by URL; undefined where none are fetched. */
  readonly fetchPicture: Tools["fetchPicture"];
  /** Settles when everything that functions need is loaded and warm. */
  readonly loaded: Promise<void>;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.#codec = openCodec(options);
    this.pixels = pixelBudget(options);
    const { pictureNetwork: network, limits, folders, functions } = options;
    this.fetchPicture = network &&
      pictureFetcher(network, { maxBytes: limits.maxBodyBytes });
    this.#library = new PhaseLog((phase) => this.#tell("", phase));
    this.#languages = wantedLanguages(folders, functions)
      .map(({ source, ...use }) => ({
        ...use,
        files: this.#obtain(source, folders.vision === undefined),
      }));
    const same = this.#languages.find(({ files }) =>
      files.source === folders.vision
    );
    this.#vision = same?.files ??
      (folders.vision === undefined
        ? undefined
        : this.#obtain(folders.vision, false));
    this.#provider = expectedProvider(options);
    this.#runtime = this.#library.run("library", () => openDevice(options));
    this.#runtime.then(
      ({ provider }) => void (this.#provider = provider),
      () => undefined,
    );
    this.#commonVision = this.#vision && this.#openVision(this.#vision);
    const codec = this.#library.run("codec", () => warmCodec(this.#codec));
    this.loaded = this.#load(codec);
    // Whoever awaits it is told; until then it must not count as unhandled.
    this.loaded.catch(() => undefined);
  }

  /** Starts: comes at once, while models are still looked for. */
  static async start(options: ServiceOptions): Promise<Services> {
    const services = new Services(options);
    const { ffmpeg, functions } = options;
    if (ffmpeg !== undefined && functions.has("detokenize")) {
      services.#encodeVideo = await findFfmpeg(ffmpeg);
    }
    return services;
  }

  /** Pictures ⇄ bytes. */
  get codec(): PictureCodec {
    return this.#codec;
  }

  /** Frames → MP4, where there is a program that does it. */
  get encodeVideo(): VideoEncoder | undefined {
    return this.#encodeVideo;
  }

  /** What is the same for all requests. */
  get limits(): Limits {
    return this.#options.limits;
  }

  /** Where models run, as far as that is known. */
  get device(): string {
    return this.#provider.name;
  }

  /** The load of the picture codec, and of the memory for pictures. */
  get pictures(): PictureLoad {
    return { ...this.#codec.state(), budget: this.pixels };
  }

  /** In what numeric format. */
  get precision(): string {
    return this.#seated?.precision ?? VISION_PRECISION;
  }

  /** From the start of the process until all was ready; undefined before. */
  get startSeconds(): number | undefined {
    return this.#startSeconds;
  }

  /** The models that draw. */
  drawer(model: string | undefined): Drawer {
    return this.#here().drawer(model);
  }

  /** The models that answer. */
  answerer(model: string | undefined): ModelPair {
    return this.#here().answerer(model);
  }

  /** What tells the answers of a model from those of another of its name. */
  readonly identify = (name: string): string => this.#here().identify(name);

  /** Pictures ⇄ codes, by the name of either model. */
  vision(model: string | undefined): VisionModel {
    const name = this.#vision?.name;
    if (this.#seated === undefined && this.#commonVision !== undefined) {
      // It may be ready long before the language models are here.
      if (model === undefined || model === name) {
        return this.#commonVision.get();
      }
    }
    return this.#here().vision(model);
  }

  /** Text ⇄ tokens, opened when first asked for. */
  async text(model: string | undefined): Promise<TextModel> {
    return await this.#here().text(model);
  }

  /** All models, here or not. */
  models(): readonly ModelListing[] {
    const listings = this.#seated?.models() ?? this.#coming();
    return withAliases(listings, this.#options.aliases);
  }

  /** Gives up what is on its way, ends what runs, then closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.loaded.catch(() => undefined);
    await (this.#seated ?? this.#commonVision)?.[Symbol.asyncDispose]();
    await this.#codec[Symbol.asyncDispose]();
    try {
      await (await this.#runtime)[Symbol.asyncDispose]();
    } catch {
      // It never opened, as whoever awaited `loaded` was told.
    }
  }

  #obtain(source: string, needsVision: boolean): PendingDownload {
    const { obtain } = this.#options;
    const files: PendingDownload = new PendingDownload(source, {
      obtain,
      needsVision,
      onPhase: (phase) => this.#tell(files.name, phase),
      signal: this.#stop.signal,
    });
    return files;
  }

  #openVision(files: PendingDownload): LazyResource<VisionTokenizer> {
    const directions = directionsOf(this.#options.functions);
    const shared = { runtime: this.#runtime };
    const open = visionOpener(shared, files.folder, directions);
    const same = this.#languages.some((language) => language.files === files);
    const log = same
      ? new PhaseLog((phase) => this.#tell(files.name, phase))
      : files.log;
    log.share(this.#library);
    return new LazyResource(files.name, open, log);
  }

  async #load(codec: Promise<void>): Promise<void> {
    codec.catch(() => undefined);
    try {
      this.#seated = await this.#seat();
      await this.#seated.load();
      await codec;
      this.#startSeconds = performance.now() / 1000;
    } catch (error) {
      this.#failure = reasonOf(error);
      // The rest would come in vain.
      this.#stop.abort();
      throw error;
    }
  }

  /** Waits for the files; a tokenizer that cannot be opened ends that wait. */
  async #seat(): Promise<ModelPool> {
    const { functions } = this.#options;
    const languages = Promise.all(
      this.#languages.map(async ({ files, draws, answers }) => ({
        folder: await files.folder,
        draws,
        answers,
      })),
    );
    const vision = this.#vision?.folder;
    const here = await Promise.race([
      Promise.all([languages, vision]),
      failureOf(this.#commonVision?.load()),
    ]);
    const lineup = await planLineup(...here, functions);
    const admitted = this.#admit(lineup);
    admitted.catch(() => undefined);
    return new ModelPool(this.#options, lineup, {
      runtime: this.#runtime,
      admitted,
      vision: this.#commonVision,
      logOf: (name, folder) => this.#logOf(name, folder),
      library: this.#library,
      provider: () => this.#provider,
    });
  }

  async #admit(lineup: ModelPlan): Promise<void> {
    await refuseCrowded(lineup.seats, {
      ...this.#options,
      runtime: this.#runtime,
      // What the machine has free may be more than the container may have.
      freeBytes: Math.min(
        Deno.systemMemoryInfo().available,
        this.#options.memoryBytes,
      ),
    });
  }

  /** That of a language model goes on where obtaining its files ended. */
  #logOf(name: string, folder: string | undefined): PhaseLog {
    const coming = this.#languages.find(({ files }) =>
      folder !== undefined && files.peek() === folder
    );
    return coming?.files.log ??
      new PhaseLog((phase) => this.#tell(name, phase));
  }

  #tell(model: string, phase: Phase): void {
    this.#options.onPhase?.(model, phase);
  }

  #here(): ModelPool {
    if (this.#seated !== undefined) return this.#seated;
    if (this.#failure !== undefined) {
      throw new NotReadyError(
        `Cannot use models: they failed to load: ${this.#failure}`,
      );
    }
    const waits = this.#coming().map(({ state }) =>
      state.state === "loading" ? state.retryAfterSeconds : 0
    );
    throw new NotReadyError(
      "Cannot use models: they are still on their way",
      Math.max(...waits),
    );
  }

  /** By the names that their sources imply. */
  #coming(): readonly ModelListing[] {
    const { device } = this;
    const { functions, precision } = this.#options;
    const common = { device, details: undefined, engine: undefined };
    const languages = this.#languages.map(({ files, ...use }) => ({
      ...common,
      name: files.name,
      revision: undefined,
      capabilities: languageCapabilities(use),
      precision: precision ?? floatPrecision(this.#provider.computeDtype),
      state: this.#stateOf(files.state),
    }));
    if (this.#vision === undefined) return mergeListings(languages);
    const vision = {
      ...common,
      name: this.#vision.name,
      revision: undefined,
      capabilities: visionCapabilities(functions),
      precision: VISION_PRECISION,
      state: this.#commonVision!.state,
    };
    return mergeListings([...languages, vision]);
  }

  #stateOf(state: PendingDownload["state"]): PendingDownload["state"] {
    if (this.#failure === undefined || state.state === "failed") return state;
    return { state: "failed", phases: state.phases, reason: this.#failure };
  }
}

/** Settles when `work` fails, and never otherwise. */
function failureOf(work: Promise<unknown> | undefined): Promise<never> {
  return new Promise((_, reject) => void work?.catch(reject));
}
