/**
 * The weight files of a checkpoint folder: one file, or shards.
 *
 * A folder holds one `model.safetensors`, or shards that
 * `model.safetensors.index.json` lists. Links are followed, so snapshot folders
 * of a Hugging Face cache can be opened.
 *
 * @module
 */

import { isAbsolute, join, parse, resolve } from "node:path";
import type { Dtype } from "../../models/graph/dtype.ts";
import type {
  StoredQuantizedMatrix,
  StoredTensor,
  Weights,
} from "../../models/graph/weights.ts";
import { CheckpointError } from "../errors.ts";
import type { KeySpelling } from "./key_layouts.ts";
import { readJson } from "./json_file.ts";
import {
  type LocatedTensor,
  storedTensor,
  WEIGHT_DTYPES,
} from "./stored_tensor.ts";
import { refuseUnusableWeights, SINGLE_FILE } from "./unusable_weights.ts";
import { findQuantizedMatrix } from "./quantized_matrix.ts";
import { readSafetensorsHeader } from "./safetensors.ts";

/** The name of the index that maps tensors to shards. */
export const INDEX_FILE = "model.safetensors.index.json";

/** The maximum number of files of a checkpoint, whose headers are all read. */
const MAX_SHARDS = 4_096;

/** The maximum length of a name, since messages contain it. */
const MAX_NAME = 1024;

/** A tensor with its name in the file. */
interface Named {
  readonly name: string;
  readonly entry: LocatedTensor;
}

/**
 * Returns the names of the files that hold a folder's tensors.
 *
 * @throws {CheckpointError} If the index is invalid, names a file outside the
 * folder, or is missing beside shards.
 */
export async function weightFileNames(folder: string): Promise<string[]> {
  const indexPath = join(folder, INDEX_FILE);
  const index = await readJson(indexPath);
  if (index === undefined) {
    await refuseUnusableWeights(folder);
    return [SINGLE_FILE];
  }
  return shardNames(indexPath, weightMap(indexPath, index));
}

/** Holds the tensors of one folder. */
export class WeightFiles {
  readonly #folder: string;
  readonly #tensors: ReadonlyMap<string, LocatedTensor>;

  private constructor(
    folder: string,
    tensors: ReadonlyMap<string, LocatedTensor>,
  ) {
    this.#folder = folder;
    this.#tensors = tensors;
  }

  /**
   * Reads the headers of a folder's files.
   *
   * @throws {CheckpointError} If a file is missing or unsafe, or a shard lacks
   * a tensor that the index lists.
   */
  static async open(folder: string): Promise<WeightFiles> {
    const index = await readJson(join(folder, INDEX_FILE));
    const tensors = index === undefined
      ? await singleFile(folder)
      : await shards(folder, index);
    return new WeightFiles(folder, tensors);
  }

  /**
   * The folder that locations are relative to, which is the root of the file
   * system.
   */
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

  /** Returns true if a tensor exists under one of the spellings of `key`. */
  has(key: string, spelling: KeySpelling): boolean {
    return spelling(key).some((name) => this.#tensors.has(name));
  }

  /** Returns the tensors in the form that a graph needs. */
  weights(spelling: KeySpelling): Weights {
    return {
      find: (key, shape) => this.#find(key, shape, spelling),
      findQuantized: (key, shape) => this.#findQuantized(key, shape, spelling),
    };
  }

  /** Returns the type of the tensor under `key`. */
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
        `tensor "${name}" has shape [${entry.shape}], but the configuration requires [${shape}]`,
      );
    }
    return storedTensor(entry, weightDtype({ name, entry }), shape);
  }

  #findQuantized(
    key: string,
    shape: readonly [number, number],
    spelling: KeySpelling,
  ): StoredQuantizedMatrix | undefined {
    const find = (name: string) => this.#tensors.get(name);
    for (const name of spelling(key)) {
      const matrix = findQuantizedMatrix(find, name, shape);
      if (matrix !== undefined) return matrix;
    }
    return undefined;
  }
}

async function singleFile(folder: string): Promise<Map<string, LocatedTensor>> {
  await refuseUnusableWeights(folder);
  const path = resolve(folder, SINGLE_FILE);
  const { tensors } = await readSafetensorsHeader(path);
  return new Map(
    [...tensors].map(([name, entry]) => [name, { ...entry, path }]),
  );
}

async function shards(
  folder: string,
  index: unknown,
): Promise<Map<string, LocatedTensor>> {
  const indexPath = join(folder, INDEX_FILE);
  const map = weightMap(indexPath, index);
  const tensors = new Map<string, LocatedTensor>();
  for (const file of shardNames(indexPath, map)) {
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
        `tensor "${name}" is missing, but the index lists it in this file`,
      );
    }
  }
  return tensors;
}

function shardNames(
  indexPath: string,
  map: ReadonlyMap<string, string>,
): string[] {
  const names = [...new Set(map.values())];
  if (names.length > MAX_SHARDS) {
    throw new CheckpointError(
      indexPath,
      `it names ${names.length} files, more than the limit of ${MAX_SHARDS}`,
    );
  }
  for (const name of names) {
    if (name.length > MAX_NAME || /\p{Cc}/u.test(name)) {
      throw new CheckpointError(
        indexPath,
        `it names a file with control characters or more than ${MAX_NAME} characters`,
      );
    }
    if (isAbsolute(name) || name.split(/[\\/]/).includes("..")) {
      throw new CheckpointError(
        indexPath,
        `"${name}" is outside the folder`,
      );
    }
  }
  return names;
}

function weightMap(path: string, index: unknown): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new CheckpointError(path, 'it has no "weight_map"');
  }
  const entries = Object.entries(map);
  for (const [name, file] of entries) {
    if (typeof file !== "string" || name.length > MAX_NAME) {
      throw new CheckpointError(
        path,
        `"${name.slice(0, MAX_NAME)}" is not a file name`,
      );
    }
  }
  return new Map(entries);
}

function weightDtype({ name, entry }: Named): Dtype {
  const dtype = WEIGHT_DTYPES.get(entry.dtype);
  if (dtype !== undefined) return dtype;
  throw new CheckpointError(
    entry.path,
    `tensor "${name}" has dtype ${entry.dtype}, but weights must be ${
      [...WEIGHT_DTYPES.keys()].join(", ")
    }`,
  );
}

/** Returns true if shapes are equal except for trailing dimensions of 1. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.every((side, i) => side === (short[i] ?? 1));
}
