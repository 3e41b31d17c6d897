/**
 * The model pool: the downloaded models of a server, each opened once, and only
 * the parts that the functions need.
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

import { CPU_PROVIDER, type Provider } from "../../lib/runtime/provider.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { LazyResource } from "./lazy_resource.ts";
import type { ModelPlan, PlannedModels } from "./model_plan.ts";
import {
  aliasesOf,
  checkAliases,
  resolveAlias,
  withAdapter,
} from "./model_aliases.ts";
import { adapterNames, type Choice, chosenModel } from "./planned_adapters.ts";
import {
  engineListing,
  languageCapabilities,
  mergeListings,
  preprocessingListing,
  UNLOADED,
  visionCapabilities,
} from "./model_listing.ts";
import {
  languageOpener,
  type ServedLanguage,
  type ServedText,
  type Shared,
  textOpener,
  visionOpener,
} from "./load_models.ts";
import type { PhaseLog } from "./load_phases.ts";
import type {
  ImageGenerator,
  ModelListing,
  ModelPair,
  TextModel,
  VisionModel,
} from "./ports.ts";
import {
  floatPrecision,
  type Precision,
  type PrecisionOptions,
} from "./precision.ts";
import { UnknownModelError } from "../http/errors/errors.ts";
import { VERSION } from "../../lib/version.ts";
import type { ServiceOptions } from "./service_options.ts";

/** Precision of vision tokenizers: they are small, and codes need every bit. */
export const VISION_PRECISION = "fp32";

/** Parts that models are opened with. */
export interface ModelPoolParts extends Shared {
  /** Resolves when the models may take memory. */
  readonly admitted: Promise<void>;
  /** The common vision tokenizer, open already; undefined for one per model. */
  readonly vision: LazyResource<VisionTokenizer> | undefined;
  /** Returns the log of a model's phases; its folder is given for text. */
  readonly logOf: (name: string, folder: string | undefined) => PhaseLog;
  /** Log of the library's opening, a phase that all models share. */
  readonly library: PhaseLog;
  /**
   * Returns the provider that models run on; the expected one before loading.
   */
  readonly provider: () => Provider;
}

/** A pool of models. */
export class ModelPool implements AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #plan: ModelPlan;
  readonly #parts: ModelPoolParts;
  readonly #languages = new Map<string, LazyResource<ServedLanguage>>();
  readonly #texts = new Map<string, LazyResource<ServedText>>();
  readonly #visions = new Map<string, LazyResource<VisionTokenizer>>();

  /** Creates a pool of unopened models. */
  constructor(
    options: ServiceOptions,
    plan: ModelPlan,
    parts: ModelPoolParts,
  ) {
    this.#options = options;
    this.#plan = plan;
    this.#parts = parts;
    checkAliases(options.aliases, plan.models.flatMap(allNamesOf));
    this.#seatVisions();
    this.#seatLanguages();
  }

  /** Numeric format of the models' weights. */
  get precision(): string {
    const languages = [...this.#languages.values()];
    const precisions = languages.map((held) => this.#precisionOf(held));
    return [...new Set(precisions)].join(", ") || VISION_PRECISION;
  }

  /** Returns the models that draw; a vision tokenizer's name selects none. */
  generator(model: string | undefined): ImageGenerator {
    const pair = this.#pair(model, ({ draws }) => draws);
    return this.#generatorOf(pair);
  }

  /**
   * Returns the models that draw clips: those named, else those for clips, else
   * those that draw. Opens them on first use.
   */
  async clipGenerator(model: string | undefined): Promise<ImageGenerator> {
    const able = this.#plan.models.filter(({ draws }) => draws);
    const first = able.filter(({ onDemand }) => onDemand);
    const candidates = model === undefined && first.length > 0 ? first : able;
    const { planned } = this.#find(model, candidates, languageNames);
    if (planned.onDemand) {
      await Promise.allSettled([
        this.#languages.get(planned.language.key)!.load(),
        this.#visions.get(planned.vision.key)!.load(),
      ]);
    }
    return this.#generatorOf(
      this.#pair(model, (of) => candidates.includes(of)),
    );
  }

  #generatorOf(
    pair: ModelPair & { readonly language: ServedLanguage },
  ): ImageGenerator {
    const { strategy, window, strategies } = pair.language.details;
    return { ...pair, strategy, window, strategies };
  }

  /** Returns the models that answer. */
  captioner(model: string | undefined): ModelPair {
    return this.#pair(model, ({ answers }) => answers);
  }

  /** Returns the vision tokenizer, by the name of either model. */
  vision(model: string | undefined): VisionModel {
    const { planned } = this.#find(model, this.#plan.models, namesOf);
    const held = this.#visions.get(planned.vision.key)!;
    // A model that no function needs is opened when it is named.
    held.load().catch(() => undefined);
    return held.get();
  }

  /** Returns the text side, opened on first use. */
  async text(model: string | undefined): Promise<TextModel> {
    const { planned } = this.#find(model, this.#plan.models, namesOf);
    const language = this.#languages.get(planned.language.key);
    if (language !== undefined) return language.get();
    const { key, name, folder } = planned.language;
    let text = this.#texts.get(key);
    if (text === undefined) {
      const log = this.#parts.logOf(name, folder);
      text = new LazyResource(name, textOpener(this.#parts, planned), log);
      this.#texts.set(key, text);
    }
    await text.load().catch(() => undefined);
    return text.get();
  }

  /** Returns listings of all models, loaded or not. */
  models(): readonly ModelListing[] {
    const { functions } = this.#options;
    const { name: device, convolves } = this.#parts.provider();
    const parts = this.#plan.models.flatMap(
      ({ language, vision, ...planned }) => {
        const served = this.#languages.get(language.key);
        const opened = served?.peek();
        return [
          {
            name: language.name,
            revision: language.revision,
            capabilities: languageCapabilities(planned),
            clips: planned.draws ? planned.clips : undefined,
            adapters: adapterNames(planned),
            state: (served ?? this.#texts.get(language.key))?.state ?? UNLOADED,
            details: opened?.details,
            engine: opened && engineListing(opened),
            precision: this.#precisionOf(served),
            device,
          },
          {
            name: vision.name,
            revision: vision.revision,
            capabilities: visionCapabilities(functions),
            state: this.#visions.get(vision.key)!.state,
            details: undefined,
            engine: undefined,
            preprocessing: preprocessingListing(
              this.#visions.get(vision.key)!.peek()?.checkpoint,
            ),
            precision: VISION_PRECISION,
            device: convolves ? device : CPU_PROVIDER.name,
          },
        ];
      },
    );
    return mergeListings(parts);
  }

  /**
   * Loads all models that the functions need at once; rejects with the first
   * failure, after the rest has settled.
   */
  async load(): Promise<void> {
    const visions = [...this.#plan.directions.keys()]
      .map((key) => this.#visions.get(key)!);
    const languages = this.#plan.models
      .filter(({ onDemand }) => !onDemand)
      .flatMap(({ language }) => this.#languages.get(language.key) ?? []);
    const results = await Promise.allSettled(
      [...visions, ...languages].map((held) => held.load()),
    );
    const failed = results.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Ends running requests, then closes all models. */
  async [Symbol.asyncDispose](): Promise<void> {
    const held = [
      ...this.#languages.values(),
      ...this.#texts.values(),
      ...this.#visions.values(),
    ];
    for (const one of held) await one[Symbol.asyncDispose]();
  }

  #seatVisions(): void {
    const { vision: common, logOf, library } = this.#parts;
    for (const { vision } of this.#plan.models) {
      if (this.#visions.has(vision.key)) continue;
      const directions = this.#plan.directions.get(vision.key) ?? new Set();
      const folder = this.#parts.admitted.then(() => vision.folder);
      const open = visionOpener(this.#parts, folder, directions);
      const log = logOf(vision.name, undefined);
      log.share(library);
      const held = common ?? new LazyResource(vision.name, open, log);
      this.#visions.set(vision.key, held);
    }
  }

  #seatLanguages(): void {
    const needed = this.#plan.models.filter(({ draws, answers }) =>
      draws || answers
    );
    const { slots, queueLimit, memoryBytes, cacheBytes, cacheDtype, strategy } =
      this.#options;
    for (const planned of needed) {
      const vision = this.#visions.get(planned.vision.key)!;
      const open = languageOpener(this.#parts, planned, vision, {
        slots,
        queueLimit,
        strategy,
        weights: this.#weights(),
        memoryBytes,
        cacheBytes,
        models: needed.length,
        cacheDtype,
      });
      const { key, name, folder } = planned.language;
      const log = this.#parts.logOf(name, folder);
      log.share(this.#parts.library);
      this.#languages.set(key, new LazyResource(name, open, log));
    }
  }

  #weights(): PrecisionOptions {
    const { precision, copyFolder, threads, warn } = this.#options;
    const program = `emu3 ${VERSION}`;
    return { precision, cacheFolder: copyFolder, threads, program, warn };
  }

  /** Returns the precision of an open model, else the expected one. */
  #precisionOf(held: LazyResource<ServedLanguage> | undefined): Precision {
    return held?.peek()?.details.precision ?? this.#options.precision ??
      floatPrecision(this.#parts.provider().computeDtype);
  }

  #pair(
    model: string | undefined,
    serves: (planned: PlannedModels) => boolean,
  ): ModelPair & { readonly language: ServedLanguage } {
    const able = this.#plan.models.filter(serves);
    const { planned, adapter } = this.#find(model, able, languageNames);
    const language = this.#languages.get(planned.language.key)!;
    // One that is opened on demand may be named for a picture.
    language.load().catch(() => undefined);
    return {
      language: language.get(),
      vision: this.#visions.get(planned.vision.key)!.get(),
      adapter,
      adapters: adapterNames(planned),
    };
  }

  /**
   * Returns the planned models that a request names, by a name or an alias, and
   * the adapter that it names behind them.
   *
   * @param namesOf Returns the names of planned models.
   */
  #find(
    model: string | undefined,
    candidates: readonly PlannedModels[],
    namesOf: (planned: PlannedModels) => readonly string[],
  ): Choice {
    const { aliases } = this.#options;
    const name = resolveAlias(model, aliases);
    const choice = chosenModel(name, candidates, namesOf);
    if (choice !== undefined) return choice;
    const names = [...new Set(candidates.flatMap(namesOf))];
    const others = names.flatMap((name) => aliasesOf(name, aliases));
    throw new UnknownModelError(model ?? "", [...names, ...others]);
  }
}

function languageNames({ language }: PlannedModels): readonly string[] {
  return [language.name];
}

function namesOf({ language, vision }: PlannedModels): readonly string[] {
  return [language.name, vision.name];
}

/** Returns the names that aliases may refer to, those with adapters too. */
function allNamesOf(planned: PlannedModels): readonly string[] {
  const { name } = planned.language;
  const adapted = adapterNames(planned)
    .map((adapter) => withAdapter(name, adapter));
  return [...namesOf(planned), ...adapted];
}
