/**
 * The services of a server: its models, downloaded, then loaded, then ready.
 *
 * ```text
 * sources ─▶ downloaded ─▶ plan ─▶ enough memory? ─▶ loaded, warm
 *    │         └ a common vision tokenizer opens as soon as it is downloaded
 *    └ listed at once, by the names that they imply
 * ```
 *
 * `model_pool.ts` has the models once they are downloaded.
 *
 * @module
 */

import type { Budget } from "../../lib/async/budget.ts";
import type { Provider } from "../../lib/runtime/provider.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import type { PicturePool } from "../../lib/image/threads/picture_pool.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { Checkpoints } from "./checkpoints.ts";
import { expectedProvider, openDevice } from "./device.ts";
import { pictureFetcher } from "../outbound/fetch_image.ts";
import { pixelBudget } from "../inference/pixel_budget.ts";
import { LazyResource, reasonOf } from "./lazy_resource.ts";
import {
  directionsOf,
  type ModelPlan,
  planLineup,
  type WantedLanguage,
  wantedLanguages,
} from "./model_plan.ts";
import { refuseCrowded } from "./memory_budget.ts";
import { withAliases } from "./model_aliases.ts";
import {
  languageCapabilities,
  mergeListings,
  visionCapabilities,
} from "./model_listing.ts";
import { obtainedAdapter, planAdapters } from "./planned_adapters.ts";
import { PendingDownload } from "./pending_download.ts";
import {
  openCodec,
  openVideoTools,
  visionOpener,
  warmCodec,
} from "./load_models.ts";
import { type Phase, PhaseLog } from "./load_phases.ts";
import type {
  Captioners,
  ImageGenerator,
  ImageGenerators,
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
import type { VideoTools } from "../../lib/image/video/video_tools.ts";
import { NotReadyError } from "../http/errors/errors.ts";
import { ModelPool, VISION_PRECISION } from "./model_pool.ts";
import type { ServiceOptions } from "./service_options.ts";

/** A language model that is being downloaded, and its purposes. */
interface Coming
  extends Pick<WantedLanguage, "draws" | "answers" | "onDemand"> {
  readonly files: PendingDownload;
}

/** The services of a server. */
export class Services
  implements ImageGenerators, Captioners, Tokenizers, Listing, AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #codec: PicturePool;
  /** Budget of pixel bytes that all requests hold together. */
  readonly pixels: Budget;
  readonly #stop = new AbortController();
  readonly #library: PhaseLog;
  readonly #runtime: Promise<Runtime>;
  readonly #checkpoints = new Checkpoints();
  readonly #languages: readonly Coming[];
  readonly #vision: PendingDownload | undefined;
  readonly #adapters: readonly (readonly [string, PendingDownload])[];
  /** Vision tokenizer that was named for all models. */
  readonly #commonVision: LazyResource<VisionTokenizer> | undefined;
  #loadedPool: ModelPool | undefined;
  #provider: Provider;
  #video: VideoTools = {};
  #failure: string | undefined;
  #startSeconds: number | undefined;
  /** Fetches pictures by URL; undefined if fetching is disabled. */
  readonly fetchPicture: Tools["fetchPicture"];
  /** Settles when all models that functions need are loaded and warm. */
  readonly loaded: Promise<void>;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.#codec = openCodec(options);
    this.pixels = pixelBudget(options);
    const { pictureNetwork: network, limits, folders, functions } = options;
    this.fetchPicture = network &&
      pictureFetcher(network, { maxBytes: limits.maxBodyBytes });
    this.#library = new PhaseLog((phase) => this.#report("", phase));
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
    this.#adapters = [...options.adapters ?? []].map(([name, source]) =>
      [name, this.#obtainAdapter(name, source)] as const
    );
    this.#provider = expectedProvider(options);
    this.#runtime = this.#library.run("library", () => openDevice(options));
    this.#runtime.then(
      ({ provider }) => void (this.#provider = provider),
      () => undefined,
    );
    this.#commonVision = this.#vision && this.#openVision(this.#vision);
    const codec = this.#library.run("codec", () => warmCodec(this.#codec));
    this.loaded = this.#load(codec);
    // Callers that await it get the error; until then it must not be unhandled.
    this.loaded.catch(() => undefined);
  }

  /** Starts the services; resolves while models are still being located. */
  static async start(options: ServiceOptions): Promise<Services> {
    const services = new Services(options);
    services.#video = await openVideoTools(options);
    return services;
  }

  /** Codec between pictures and bytes. */
  get codec(): PictureCodec {
    return this.#codec;
  }

  /** Encoder of frames as MP4; undefined without a program for it. */
  get encodeVideo(): VideoTools["encodeVideo"] {
    return this.#video.encodeVideo;
  }

  /** Reader of video files; undefined without a program for it. */
  get readVideo(): VideoTools["readVideo"] {
    return this.#video.readVideo;
  }

  /** Limits that are the same for all requests. */
  get limits(): Limits {
    return this.#options.limits;
  }

  /** Device that models run on; the expected one before loading. */
  get device(): string {
    return this.#provider.name;
  }

  /** Load of the picture codec, and of the memory for pictures. */
  get pictures(): PictureLoad {
    return { ...this.#codec.state(), budget: this.pixels };
  }

  /** Numeric format of the models' weights. */
  get precision(): string {
    return this.#loadedPool?.precision ?? VISION_PRECISION;
  }

  /** Seconds from the start of the process until ready; undefined before. */
  get startSeconds(): number | undefined {
    return this.#startSeconds;
  }

  /** Returns the models that draw. */
  imageGenerator(model: string | undefined): ImageGenerator {
    return this.#here().generator(model);
  }

  /** Returns the models that draw clips, opened on first use. */
  async clipGenerator(model: string | undefined): Promise<ImageGenerator> {
    return await this.#here().clipGenerator(model);
  }

  /** Returns the models that answer. */
  captioner(model: string | undefined): ModelPair {
    return this.#here().captioner(model);
  }

  /** Returns the vision tokenizer, by the name of either model. */
  vision(model: string | undefined): VisionModel {
    const name = this.#vision?.name;
    if (this.#loadedPool === undefined && this.#commonVision !== undefined) {
      // It may be ready long before the language models are.
      if (model === undefined || model === name) {
        return this.#commonVision.get();
      }
    }
    return this.#here().vision(model);
  }

  /** Returns the text side, opened on first use. */
  async text(model: string | undefined): Promise<TextModel> {
    return await this.#here().text(model);
  }

  /** Returns listings of all models, downloaded or not. */
  models(): readonly ModelListing[] {
    const listings = this.#loadedPool?.models() ?? this.#coming();
    return withAliases(listings, this.#options.aliases);
  }

  /** Cancels downloads, ends running requests, then closes all models. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.loaded.catch(() => undefined);
    await (this.#loadedPool ?? this.#commonVision)?.[Symbol.asyncDispose]();
    await this.#codec[Symbol.asyncDispose]();
    try {
      await (await this.#runtime)[Symbol.asyncDispose]();
    } catch {
      // It never opened; callers that awaited `loaded` got the error.
    }
  }

  #obtainAdapter(name: string, source: string): PendingDownload {
    const { obtain } = this.#options;
    return new PendingDownload(source, {
      obtain: obtainedAdapter(obtain),
      needsVision: false,
      onPhase: (phase) => this.#report(`adapter ${name}`, phase),
      signal: this.#stop.signal,
    });
  }

  #obtain(source: string, needsVision: boolean): PendingDownload {
    const { obtain } = this.#options;
    const files: PendingDownload = new PendingDownload(source, {
      obtain,
      needsVision,
      onPhase: (phase) => this.#report(files.name, phase),
      signal: this.#stop.signal,
    });
    return files;
  }

  #openVision(files: PendingDownload): LazyResource<VisionTokenizer> {
    const directions = directionsOf(this.#options.functions);
    const shared = { runtime: this.#runtime, checkpoints: this.#checkpoints };
    const open = visionOpener(shared, files.folder, directions);
    const same = this.#languages.some((language) => language.files === files);
    const log = same
      ? new PhaseLog((phase) => this.#report(files.name, phase))
      : files.log;
    log.share(this.#library);
    return new LazyResource(files.name, open, log);
  }

  async #load(codec: Promise<void>): Promise<void> {
    codec.catch(() => undefined);
    try {
      this.#loadedPool = await this.#createPool();
      await this.#loadedPool.load();
      await codec;
      this.#startSeconds = performance.now() / 1000;
    } catch (error) {
      this.#failure = reasonOf(error);
      // The other downloads are of no use.
      this.#stop.abort();
      throw error;
    } finally {
      // Their metadata takes memory and is no longer needed.
      this.#checkpoints.clear();
    }
  }

  /** Waits for the files; a vision tokenizer that fails to open rejects it. */
  async #createPool(): Promise<ModelPool> {
    const { functions } = this.#options;
    const languages = Promise.all(
      this.#languages.map(async ({ files, ...use }) => ({
        ...use,
        folder: await files.folder,
      })),
    );
    const vision = this.#vision?.folder;
    const adapters = Promise.all(
      this.#adapters.map(async ([name, { folder }]) =>
        [name, await folder] as const
      ),
    );
    const [here, folders] = await Promise.race([
      Promise.all([Promise.all([languages, vision]), adapters]),
      failureOf(this.#commonVision?.load()),
    ]);
    const plan = await planAdapters(
      await planLineup(...here, functions, this.#checkpoints),
      new Map(folders),
    );
    const admitted = this.#admit(plan);
    admitted.catch(() => undefined);
    return new ModelPool(this.#options, plan, {
      runtime: this.#runtime,
      checkpoints: this.#checkpoints,
      admitted,
      vision: this.#commonVision,
      logOf: (name, folder) => this.#logOf(name, folder),
      library: this.#library,
      provider: () => this.#provider,
    });
  }

  async #admit(plan: ModelPlan): Promise<void> {
    await refuseCrowded(plan, {
      ...this.#options,
      runtime: this.#runtime,
      // The machine may have more free than the container is allowed.
      freeBytes: Math.min(
        Deno.systemMemoryInfo().available,
        this.#options.memoryBytes,
      ),
    });
  }

  /** Returns a model's log of phases, which continues that of its download. */
  #logOf(name: string, folder: string | undefined): PhaseLog {
    const coming = this.#languages.find(({ files }) =>
      folder !== undefined && files.peek() === folder
    );
    return coming?.files.log ??
      new PhaseLog((phase) => this.#report(name, phase));
  }

  #report(model: string, phase: Phase): void {
    this.#options.onPhase?.(model, phase);
  }

  #here(): ModelPool {
    if (this.#loadedPool !== undefined) return this.#loadedPool;
    if (this.#failure !== undefined) {
      throw new NotReadyError(
        `Cannot use models: they failed to load: ${this.#failure}`,
      );
    }
    const waits = this.#coming().map(({ state }) =>
      state.state === "loading" ? state.retryAfterSeconds : 0
    );
    throw new NotReadyError(
      "Cannot use models: they are still being downloaded",
      Math.max(...waits),
    );
  }

  /** Returns listings by the names that sources imply. */
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

/** Returns a promise that rejects when `work` fails, and never resolves. */
function failureOf(work: Promise<unknown> | undefined): Promise<never> {
  return new Promise((_, reject) => void work?.catch(reject));
}
