/**
 * The LoRA adapter folder, as PEFT writes it.
 *
 * ```text
 * adapter_config.json         ranks, weights and modules
 * adapter_model.safetensors   base_model.model.{module}.lora_A.weight  [r, in]
 *                             base_model.model.{module}.lora_B.weight  [out, r]
 * ```
 *
 * Modules have the names of either layout, independent of the layout of the
 * base, since the matrices are the same. An adapter may also contain a complete
 * head.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { parseAdapterConfig } from "../../models/config/adapter_config.ts";
import type { AdapterConfig } from "../../models/config/adapter_config.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";
import {
  LAYER_MATRICES,
  layerKey,
  matrixShape,
} from "../../models/tuning/layer_parts.ts";
import { CheckpointError } from "../errors.ts";
import { parseJsonFile } from "./json_file.ts";
import { originalKeys, transformersLanguageKeys } from "./key_layouts.ts";
import {
  type LocatedTensor,
  storedTensor,
  WEIGHT_DTYPES,
} from "./stored_tensor.ts";
import { readSafetensorsHeader } from "./safetensors.ts";

/** The name of the file with an adapter's settings. */
export const ADAPTER_CONFIG_FILE = "adapter_config.json";

/** The name of the file with an adapter's tensors. */
export const ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors";

/** The low-rank update of one matrix: `y += scale · (x · Aᵀ) · Bᵀ`. */
export interface AdaptedMatrix {
  /** Shape of the base's matrix, `[out, in]`. */
  readonly shape: readonly [number, number];
  /** Rank of the adapter, r. */
  readonly rank: number;
  /** Factor of the product. */
  readonly scale: number;
  /** A, `[r, in]`. */
  readonly a: LocatedTensor;
  /** B, `[out, r]`. */
  readonly b: LocatedTensor;
}

/** An adapter on disk that fits its base. */
export interface Adapter {
  /** Path of the folder. */
  readonly folder: string;
  /** Path or repository of the base that it was tuned for, if stated. */
  readonly baseModel: string | undefined;
  /** Adapted matrices by key of the original layout, without `.weight`. */
  readonly matrices: ReadonlyMap<string, AdaptedMatrix>;
  /** Head in place of the base's, `[V, E]`; undefined for the base's. */
  readonly head: StoredTensor | undefined;
  /** Bytes of all tensors. */
  readonly byteLength: number;
}

/** Prefix that PEFT puts before the names of the tuned model. */
const PREFIX = "base_model.model.";

/** Names of the head in all layouts. */
const HEAD_NAMES: ReadonlySet<string> = new Set(
  ["lm_head.weight", "text_model.lm_head.weight"],
);

/**
 * Opens the adapter in `folder` for a base model.
 *
 * @param config Configuration of the base model.
 * @throws {CheckpointError} If a file is missing or unsafe, the adapter is of
 * an unsupported kind, or a tensor does not fit the base.
 */
export async function openAdapter(
  folder: string,
  config: LanguageConfig,
): Promise<Adapter> {
  const settings = await adapterSettings(folder);
  const path = resolve(folder, ADAPTER_WEIGHTS_FILE);
  const header = await readSafetensorsHeader(path);
  const tensors = new Map(
    [...header.tensors].map(([name, entry]) => [name, { ...entry, path }]),
  );
  return {
    folder,
    baseModel: settings.baseModel,
    ...new AdapterReader(path, settings, config).read(tensors),
    byteLength: [...tensors.values()]
      .reduce((sum, { length }) => sum + length, 0),
  };
}

/**
 * Returns the path or repository of the base that the adapter in `folder` was
 * tuned for; undefined if it is not stated.
 *
 * @throws {CheckpointError} If its settings are missing, or not supported.
 */
export async function adapterBase(folder: string): Promise<string | undefined> {
  return (await adapterSettings(folder)).baseModel;
}

async function adapterSettings(folder: string): Promise<AdapterConfig> {
  const path = join(folder, ADAPTER_CONFIG_FILE);
  return await parseJsonFile(path, parseAdapterConfig);
}

/** Sorts the tensors of a file by the matrices that they adapt. */
class AdapterReader {
  readonly #path: string;
  readonly #settings: AdapterConfig;
  readonly #config: LanguageConfig;
  readonly #keys: ReadonlyMap<string, MatrixKey>;

  constructor(path: string, settings: AdapterConfig, config: LanguageConfig) {
    this.#path = path;
    this.#settings = settings;
    this.#config = config;
    this.#keys = matrixKeys(config);
  }

  read(
    tensors: ReadonlyMap<string, LocatedTensor>,
  ): Pick<Adapter, "matrices" | "head"> {
    const matrices = new Map<string, AdaptedMatrix>();
    const spellings = new Set<string>();
    let head: StoredTensor | undefined;
    for (const [name, entry] of tensors) {
      const module = moduleOf(name);
      if (module !== undefined) {
        const found = this.#matrix(tensors, name, module);
        matrices.set(found.key, found.matrix);
        spellings.add(found.spelling);
      } else if (HEAD_NAMES.has(withoutPrefix(name))) {
        head = this.#head(name, entry);
      } else {
        throw this.#fail(
          name,
          "it is neither a LoRA matrix of a layer nor a head; remove it from the file",
        );
      }
    }
    this.#refuseMissing(matrices, spellings, head);
    return { matrices, head };
  }

  #matrix(
    tensors: ReadonlyMap<string, LocatedTensor>,
    name: string,
    module: string,
  ): Omit<MatrixKey, "shape"> & { readonly matrix: AdaptedMatrix } {
    const known = this.#keys.get(module);
    if (known === undefined) {
      throw this.#fail(
        name,
        `the base has no matrix "${module}" in its ${this.#config.layers} layers that an adapter may change`,
      );
    }
    const settings = this.#settings;
    if (!settings.targets(module)) {
      throw this.#fail(
        name,
        `"target_modules" of ${ADAPTER_CONFIG_FILE} does not name its module`,
      );
    }
    const { key, shape, spelling } = known;
    const rank = settings.rankOf(module);
    const [a, b] = ["A", "B"].map((part) => {
      const sides = part === "A" ? [rank, shape[1]] : [shape[0], rank];
      return this.#floats(
        tensors,
        `${PREFIX}${module}.lora_${part}.weight`,
        sides,
      );
    }) as [LocatedTensor, LocatedTensor];
    const scale = settings.scaleOf(module);
    return { key, spelling, matrix: { shape, rank, scale, a, b } };
  }

  #floats(
    tensors: ReadonlyMap<string, LocatedTensor>,
    name: string,
    shape: readonly number[],
  ): LocatedTensor {
    const entry = tensors.get(name);
    if (entry === undefined) throw this.#fail(name, "it is missing");
    this.#check(name, entry, shape);
    return entry;
  }

  #head(name: string, entry: LocatedTensor): StoredTensor {
    if (!this.#settings.savesHead) {
      throw this.#fail(
        name,
        `"modules_to_save" of ${ADAPTER_CONFIG_FILE} does not name the head`,
      );
    }
    const { vocabularySize, hiddenSize } = this.#config;
    const shape = [vocabularySize, hiddenSize];
    this.#check(name, entry, shape);
    return storedTensor(entry, WEIGHT_DTYPES.get(entry.dtype)!, shape);
  }

  #check(name: string, entry: LocatedTensor, shape: readonly number[]): void {
    if (!WEIGHT_DTYPES.has(entry.dtype)) {
      const offered = [...WEIGHT_DTYPES.keys()].join(", ");
      throw this.#fail(
        name,
        `it has dtype ${entry.dtype}; supported types are ${offered}`,
      );
    }
    if (String(entry.shape) === String(shape)) return;
    throw this.#fail(
      name,
      `it has shape [${entry.shape}], but the base and the rank require [${shape}]; use an adapter of this base model`,
    );
  }

  #refuseMissing(
    matrices: ReadonlyMap<string, AdaptedMatrix>,
    spellings: ReadonlySet<string>,
    head: StoredTensor | undefined,
  ): void {
    if (matrices.size === 0 && head === undefined) {
      throw new CheckpointError(this.#path, "it has no adapter tensors");
    }
    if (this.#settings.savesHead && head === undefined) {
      throw this.#fail(`${PREFIX}lm_head.weight`, "it is missing");
    }
    for (const [module, { key, spelling }] of this.#keys) {
      if (!spellings.has(spelling) || matrices.has(key)) continue;
      if (!this.#settings.targets(module)) continue;
      throw this.#fail(`${PREFIX}${module}.lora_A.weight`, "it is missing");
    }
  }

  #fail(name: string, reason: string): CheckpointError {
    return new CheckpointError(this.#path, `tensor "${name}": ${reason}`);
  }
}

/** A matrix of a layer. */
interface MatrixKey {
  readonly key: string;
  readonly shape: readonly [number, number];
  /** Prefix before names of the original layout in this spelling. */
  readonly spelling: string;
}

/** Returns the matrices of all layers by every spelling of their modules. */
function matrixKeys(config: LanguageConfig): Map<string, MatrixKey> {
  const keys = new Map<string, MatrixKey>();
  for (let layer = 0; layer < config.layers; layer++) {
    for (const name of LAYER_MATRICES) {
      const key = layerKey(layer, name);
      const shape = matrixShape(config, name);
      for (const spelling of [originalKeys, transformersLanguageKeys]) {
        for (const module of spelling(key)) {
          const prefix = module.slice(0, module.indexOf("layers."));
          keys.set(module, { key, shape, spelling: prefix });
        }
      }
    }
  }
  return keys;
}

/** Returns the module of an adapter's A or B; undefined for other tensors. */
function moduleOf(name: string): string | undefined {
  return /^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(name)?.[1];
}

function withoutPrefix(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}
