/**
 * The writer of safetensors files, whole or not at all.
 *
 * @module
 */

import { open, rename } from "node:fs/promises";
import {
  headerBytes,
  TargetFiles,
  type TargetTensor,
} from "../../lib/quantization/target_files.ts";
import { onDisk } from "../cache/base/disk.ts";

/** A tensor to be written. */
export interface WrittenTensor extends TargetTensor {
  /** Returns its bytes; called once, in the order of the file. */
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** Advice when a disk refuses a file of the output. */
export const REMEDY = "set --out to another folder";

/**
 * Writes a file beside `path` and renames it, so that `path` is never half a
 * file.
 *
 * @throws {DiskError} If the disk refuses; `path` is then unchanged.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const files = new TargetFiles(Infinity);
  for (const tensor of tensors) files.place([tensor]);
  const [file] = files.finish();
  await replaceFile(path, async (write) => {
    await write(headerBytes(file!, metadata));
    for (const tensor of tensors) await write(await tensor.read());
  });
}

/** Writes a text file in the same way. */
export async function writeText(path: string, text: string): Promise<void> {
  await replaceFile(
    path,
    (write) => write(new TextEncoder().encode(text)),
  );
}

/** Writes a file of bytes in the same way. */
export async function writeBytes(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  await replaceFile(path, (write) => write(bytes));
}

async function replaceFile(
  path: string,
  fill: (
    write: (bytes: Uint8Array) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const partial = `${path}.partial`;
  await onDisk(path, async () => {
    try {
      await using file = await open(partial, "w");
      await fill(async (bytes) => {
        for (let at = 0; at < bytes.length;) {
          at += (await file.write(bytes, at)).bytesWritten;
        }
      });
      await file.sync();
    } catch (error) {
      await Deno.remove(partial).catch(() => {});
      throw error;
    }
    await rename(partial, path);
  }, REMEDY);
}

/** Returns float32 values as the tensor that a file holds. */
export function floatTensor(
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
): WrittenTensor {
  const { buffer, byteOffset, byteLength } = values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return {
    name,
    dtype: "F32",
    shape,
    length: byteLength,
    read: () => Promise.resolve(bytes),
  };
}
