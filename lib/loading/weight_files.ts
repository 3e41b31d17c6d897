/**
 * The tensors of a checkpoint folder, wherever its files are.
 *
 * A folder holds one `model.safetensors`, or shards that
 * `model.safetensors.index.json` lists. Links are followed, so the snapshot
 * folders of a Hugging Face cache open like any other.
 *
 * @module
 */

import { isAbsolute, join, parse, relative, resolve } from "node:path";
import type { Dtype } from "../../models/graph/dtype.ts";
import type { StoredTensor, Weights } from "../../models/graph/weights.ts";
import { CheckpointError } from "../errors.ts";
import type { KeySpelling } from "./key_layouts.ts";
import { readJson } from "./json_file.ts";
import { readSafetensorsHeader, type SafetensorsEntry } from "./safetensors.ts";

const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/** Types of weights that graphs take. */
const WEIGHT_DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
]);

/** A tensor and the file that holds it. */
interface Located extends SafetensorsEntry {
  readonly path: string;
}

/** A tensor as it is called where it lies. */
interface Named {
  readonly name: string;
  readonly entry: Located;
}

/** The tensors of one folder. */
export class WeightFiles {
  readonly #folder: string;
  readonly #tensors: ReadonlyMap<string, Located>;

  private constructor(folder: string, tensors: ReadonlyMap<string, Located>) {
    this.#folder = folder;
    this.#tensors = tensors;
  }

  /**
   * Reads the headers of a folder's files.
   *
   * @throws {CheckpointError} When a file is missing or unsafe, or a shard
   * lacks a tensor that the index promises.
   */
  static async open(folder: string): Promise<WeightFiles> {
    const index = await readJson(join(folder, INDEX_FILE));
    const tensors = index === undefined
      ? await singleFile(folder)
      : await shards(folder, index);
    return new WeightFiles(folder, tensors);
  }

  /** Folder that locations are relative to: the root of the file system. */
  get root(): string {
    return parse(resolve(this.#folder)).root;
  }

  /** Bytes of all tensors. */
  get byteLength(): number {
    return [...this.#tensors.values()].reduce(
      (sum, { length }) => sum + length,
      0,
    );
  }

  /** Whether a tensor is there under one of the spellings of `key`. */
  has(key: string, spelling: KeySpelling): boolean {
    return spelling(key).some((name) => this.#tensors.has(name));
  }

  /** The tensors as a graph wants them. */
  weights(spelling: KeySpelling): Weights {
    return { find: (key, shape) => this.#find(key, shape, spelling) };
  }

  /** Type of the weights, by the tensor under `key`. */
  dtypeOf(key: string, spelling: KeySpelling): Dtype {
    return weightDtype(this.#locate(key, spelling));
  }

  #locate(key: string, spelling: KeySpelling): Named {
    for (const name of spelling(key)) {
      const entry = this.#tensors.get(name);
      if (entry !== undefined) return { name, entry };
    }
    throw new CheckpointError(
      this.#folder,
      `tensor "${spelling(key)[0]}" is missing`,
    );
  }

  #find(
    key: string,
    shape: readonly number[],
    spelling: KeySpelling,
  ): StoredTensor {
    const { name, entry } = this.#locate(key, spelling);
    if (!sameShape(entry.shape, shape)) {
      throw new CheckpointError(
        entry.path,
        `tensor "${name}" has shape [${entry.shape}], the configuration asks for [${shape}]`,
      );
    }
    return {
      dtype: weightDtype({ name, entry }),
      shape,
      location: relative(this.root, entry.path).replaceAll("\\", "/"),
      offset: entry.offset,
      length: entry.length,
    };
  }
}

async function singleFile(folder: string): Promise<Map<string, Located>> {
  const path = resolve(folder, SINGLE_FILE);
  const { tensors } = await readSafetensorsHeader(path);
  return new Map(
    [...tensors].map(([name, entry]) => [name, { ...entry, path }]),
  );
}

async function shards(
  folder: string,
  index: unknown,
): Promise<Map<string, Located>> {
  const indexPath = join(folder, INDEX_FILE);
  const map = weightMap(indexPath, index);
  const tensors = new Map<string, Located>();
  for (const file of new Set(map.values())) {
    if (isAbsolute(file) || file.split(/[\\/]/).includes("..")) {
      throw new CheckpointError(
        indexPath,
        `"${file}" leads out of the folder`,
      );
    }
    const path = resolve(folder, file);
    const header = await readSafetensorsHeader(path);
    for (const [name, entry] of header.tensors) {
      if (map.get(name) === file) tensors.set(name, { ...entry, path });
    }
  }
  for (const [name, file] of map) {
    if (!tensors.has(name)) {
      throw new CheckpointError(
        join(folder, file),
        `tensor "${name}" is missing, the index promises it here`,
      );
    }
  }
  return tensors;
}

function weightMap(path: string, index: unknown): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new CheckpointError(path, 'it has no "weight_map"');
  }
  const entries = Object.entries(map);
  for (const [name, file] of entries) {
    if (typeof file !== "string") {
      throw new CheckpointError(path, `"${name}" names no file`);
    }
  }
  return new Map(entries);
}

function weightDtype({ name, entry }: Named): Dtype {
  const dtype = WEIGHT_DTYPES.get(entry.dtype);
  if (dtype !== undefined) return dtype;
  throw new CheckpointError(
    entry.path,
    `tensor "${name}" has dtype ${entry.dtype}, weights are ${
      [...WEIGHT_DTYPES.keys()].join(", ")
    }`,
  );
}

/** Equal but for sides of one at the end. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.every((side, i) => side === (short[i] ?? 1));
}
