/**
 * The models of a server once their files are here: opened once each, and only
 * what the functions need.
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
import { refusedStrategies } from "./device.ts";
import { LazyResource } from "./lazy_resource.ts";
import type { ModelPlan, PlannedModels } from "./model_plan.ts";
import { aliasesOf, checkAliases, resolveAlias } from "./model_aliases.ts";
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
  Drawer,
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
import type { ServiceOptions } from "./services.ts";
import { VERSION } from "../http/version.ts";

/** Vision tokenizers are small, and codes depend on every bit. */
export const VISION_PRECISION = "fp32";

/** What models are opened with. */
export interface ModelPoolParts extends Shared {
  /** Comes when they may take memory. */
  readonly admitted: Promise<void>;
  /** The vision tokenizer of all, opened already; undefined for one each. */
  readonly vision: LazyResource<VisionTokenizer> | undefined;
  /** Where the phases of a model are noted; its folder if it has text. */
  readonly logOf: (name: string, folder: string | undefined) => PhaseLog;
  /** Opening the library, which is a phase of every model. */
  readonly library: PhaseLog;
  /** Where models run, as far as that is known. */
  readonly provider: () => Provider;
}

/** Models at their places. */
export class ModelPool implements AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #lineup: ModelPlan;
  readonly #parts: ModelPoolParts;
  readonly #languages = new Map<string, LazyResource<ServedLanguage>>();
  readonly #texts = new Map<string, LazyResource<ServedText>>();
  readonly #visions = new Map<string, LazyResource<VisionTokenizer>>();

  /** Opens nothing yet. */
  constructor(
    options: ServiceOptions,
    lineup: ModelPlan,
    parts: ModelPoolParts,
  ) {
    this.#options = options;
    this.#lineup = lineup;
    this.#parts = parts;
    checkAliases(options.aliases, lineup.seats.flatMap(namesOf));
    this.#seatVisions();
    this.#seatLanguages();
  }

  /** In what numeric format. */
  get precision(): string {
    const languages = [...this.#languages.values()];
    const precisions = languages.map((held) => this.#precisionOf(held));
    return [...new Set(precisions)].join(", ") || VISION_PRECISION;
  }

  /** The models that draw; their vision tokenizer's name is not theirs. */
  drawer(model: string | undefined): Drawer {
    const pair = this.#pair(this.#languageSeat(model, ({ draws }) => draws));
    const { strategy } = pair.language.details;
    return {
      ...pair,
      strategy: this.#options.strategy ?? strategy,
      refused: refusedStrategies(this.#parts.provider()),
    };
  }

  /** The models that answer. */
  answerer(model: string | undefined): ModelPair {
    return this.#pair(this.#languageSeat(model, ({ answers }) => answers));
  }

  /** What tells the answers of a model from those of another of its name. */
  identify(name: string): string {
    const places = this.#lineup.seats
      .flatMap(({ language, vision }) => [language, vision])
      .filter((place) => place.name === name);
    const parts = places.map(({ key, fingerprint }) => {
      const held = this.#languages.get(key);
      const dtype = held?.peek()?.cache.dtype;
      return [fingerprint, this.#precisionOf(held), dtype];
    });
    const { threads } = this.#options;
    return JSON.stringify([
      VERSION,
      this.#parts.provider().name,
      threads,
      name,
      parts,
    ]);
  }

  /** Pictures ⇄ codes, by the name of either model. */
  vision(model: string | undefined): VisionModel {
    const seat = this.#seat(model, this.#lineup.seats, namesOf);
    const held = this.#visions.get(seat.vision.key)!;
    // One that no function was said to need is opened when it is named.
    held.load().catch(() => undefined);
    return held.get();
  }

  /** Text ⇄ tokens, opened when first asked for. */
  async text(model: string | undefined): Promise<TextModel> {
    const seat = this.#seat(model, this.#lineup.seats, namesOf);
    const language = this.#languages.get(seat.language.key);
    if (language !== undefined) return language.get();
    const { key, name, folder } = seat.language;
    let text = this.#texts.get(key);
    if (text === undefined) {
      const log = this.#parts.logOf(name, folder);
      text = new LazyResource(name, textOpener(seat), log);
      this.#texts.set(key, text);
    }
    await text.load().catch(() => undefined);
    return text.get();
  }

  /** All models, loaded or not. */
  models(): readonly ModelListing[] {
    const { functions } = this.#options;
    const { name: device, convolves } = this.#parts.provider();
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
   * Loads what the functions need, all at once; the first failure is told, after
   * the rest has settled.
   */
  async load(): Promise<void> {
    const visions = [...this.#lineup.directions.keys()]
      .map((key) => this.#visions.get(key)!);
    const languages = [...this.#languages.values()];
    const results = await Promise.allSettled(
      [...visions, ...languages].map((held) => held.load()),
    );
    const failed = results.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Ends what runs, then closes everything. */
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
    for (const { vision } of this.#lineup.seats) {
      if (this.#visions.has(vision.key)) continue;
      const directions = this.#lineup.directions.get(vision.key) ?? new Set();
      const folder = this.#parts.admitted.then(() => vision.folder);
      const open = visionOpener(this.#parts, folder, directions);
      const log = logOf(vision.name, undefined);
      log.share(library);
      const held = common ?? new LazyResource(vision.name, open, log);
      this.#visions.set(vision.key, held);
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
      const open = languageOpener(this.#parts, seat, vision, {
        slots,
        queueLimit,
        strategy,
        weights: this.#weights(),
        memoryBytes,
        cacheBytes,
        models: needed.length,
        cacheDtype,
      });
      const { key, name, folder } = seat.language;
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

  /** That of a model that is open, else the one that it will have. */
  #precisionOf(held: LazyResource<ServedLanguage> | undefined): Precision {
    return held?.peek()?.details.precision ?? this.#options.precision ??
      floatPrecision(this.#parts.provider().computeDtype);
  }

  #pair(seat: PlannedModels) {
    return {
      language: this.#languages.get(seat.language.key)!.get(),
      vision: this.#visions.get(seat.vision.key)!.get(),
    };
  }

  #languageSeat(
    model: string | undefined,
    serves: (seat: PlannedModels) => boolean,
  ): PlannedModels {
    const able = this.#lineup.seats.filter(serves);
    return this.#seat(model, able, ({ language }) => [language.name]);
  }

  /**
   * The seat that a request names, by a name or an alias of one.
   *
   * @param namesOf Names by which a seat goes.
   */
  #seat(
    model: string | undefined,
    seats: readonly PlannedModels[],
    namesOf: (seat: PlannedModels) => readonly string[],
  ): PlannedModels {
    const { aliases } = this.#options;
    const name = resolveAlias(model, aliases);
    const seat = seats.find((seat) =>
      name === undefined || namesOf(seat).includes(name)
    );
    if (seat !== undefined) return seat;
    const names = [...new Set(seats.flatMap(namesOf))];
    const others = names.flatMap((name) => aliasesOf(name, aliases));
    throw new UnknownModelError(model ?? "", [...names, ...others]);
  }
}

function namesOf({ language, vision }: PlannedModels): readonly string[] {
  return [language.name, vision.name];
}
