/**
 * The checkpoint with other values: the files of a base, some tensors replaced.
 *
 * Tensors keep their names, order and types, so that either layout stays as it
 * was; the vision tokenizer of a common folder is copied.
 *
 * @module
 */

import { join } from "node:path";
import {
  originalKeys,
  transformersLanguageKeys,
} from "../../lib/loading/key_layouts.ts";
import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import {
  readSafetensorsHeader,
  type SafetensorsEntry,
} from "../../lib/loading/safetensors.ts";
import { INDEX_FILE, weightFileNames } from "../../lib/loading/weight_files.ts";
import { copySidecarFiles } from "../../lib/quantization/sidecar_files.ts";
import { bytesOfFloats } from "../../lib/loading/floats.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import { onDisk } from "../cache/base/disk.ts";
import {
  REMEDY,
  writeBytes,
  writeSafetensors,
  type WrittenTensor,
} from "./safetensors_writer.ts";

/** Returns new values of a tensor by its original key; undefined to keep it. */
export type Replacement = (
  key: string,
) => Promise<Float32Array<ArrayBuffer> | undefined>;

/**
 * Writes a checkpoint into `folder`.
 *
 * @param keys Original keys that `replacement` has values for.
 * @throws {DiskError} If the disk refuses.
 * @throws {TuningError} If a tensor of `keys` is not found.
 */
export async function writeTunedCheckpoint(
  base: LanguageCheckpoint,
  folder: string,
  keys: readonly string[],
  replacement: Replacement,
): Promise<void> {
  const spelling = base.layout === "original"
    ? originalKeys
    : transformersLanguageKeys;
  const spelled = new Map(
    keys.flatMap((key) => spelling(key).map((name) => [name, key] as const)),
  );
  await onDisk(folder, async () => {
    await Deno.mkdir(folder, { recursive: true });
    await copySidecarFiles(base.folder, folder);
  }, REMEDY);
  for (const name of ["config.json", INDEX_FILE]) {
    await copyIfThere(join(base.folder, name), join(folder, name));
  }
  const found = new Set<string>();
  for (const name of await weightFileNames(base.folder)) {
    const source = join(base.folder, name);
    using file = await Deno.open(source);
    const { tensors, metadata } = await readSafetensorsHeader(source);
    const written = [...tensors].map(([name, entry]): WrittenTensor => {
      const key = spelled.get(name);
      if (key !== undefined) found.add(key);
      return writtenTensor(file, name, entry, key, replacement);
    });
    await writeSafetensors(join(folder, name), written, metadata);
  }
  const missing = keys.find((key) => !found.has(key));
  if (missing !== undefined) {
    throw new TuningError(
      `the checkpoint has no tensor "${missing}": use the one that the run began with`,
    );
  }
}

/** Writes a checkpoint whose weights were all trained. */
export async function writeFullyTuned(
  base: LanguageCheckpoint,
  folder: string,
  parameters: Parameters,
): Promise<void> {
  const values = await parameters.values();
  const replacement = (key: string) => Promise.resolve(values.get(key));
  await writeTunedCheckpoint(base, folder, [...values.keys()], replacement);
}

function writtenTensor(
  file: Deno.FsFile,
  name: string,
  entry: SafetensorsEntry,
  key: string | undefined,
  replacement: Replacement,
): WrittenTensor {
  const { dtype, shape, length } = entry;
  return {
    name,
    dtype,
    shape,
    length,
    read: async () => {
      const values = key === undefined ? undefined : await replacement(key);
      if (values !== undefined) return bytesOfFloats(values, dtype);
      return await bytesAt(file, entry);
    },
  };
}

async function bytesAt(
  file: Deno.FsFile,
  { offset, length }: SafetensorsEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new TuningError("a file of the checkpoint ends");
    at += count;
  }
  return bytes;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await writeBytes(to, await Deno.readFile(from));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
