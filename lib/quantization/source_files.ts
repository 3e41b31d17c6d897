/**
 * The weight files of a checkpoint to be quantized: their headers, and a
 * sequential reader.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { QuantizationError } from "../errors.ts";
import { readSafetensorsHeader } from "../loading/safetensors.ts";
import { weightFileNames } from "../loading/weight_files.ts";
import type { SourceFile, TensorChunk } from "./plan.ts";

/** A file on disk. */
export interface SourceOnDisk extends SourceFile {
  /** Path of the file. */
  readonly path: string;
  /** Time of the last write, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/**
 * Returns the weight files of a folder, in order.
 *
 * @throws {CheckpointError} If one is missing or unsafe.
 */
export async function readSources(folder: string): Promise<SourceOnDisk[]> {
  const sources: SourceOnDisk[] = [];
  for (const name of await weightFileNames(folder)) {
    const path = join(folder, name);
    const { tensors } = await readSafetensorsHeader(path);
    const { size, mtime } = await Deno.stat(path);
    const modifiedMs = mtime?.getTime() ?? 0;
    sources.push({ name, path, size, modifiedMs, tensors });
  }
  return sources;
}

/** Returns true if a file has not changed since it was read. */
export async function isUnchanged(source: SourceOnDisk): Promise<boolean> {
  const { size, mtime } = await Deno.stat(source.path);
  return size === source.size && (mtime?.getTime() ?? 0) === source.modifiedMs;
}

/** The next bytes of a file, in order. */
export interface Piece {
  /** Chunk of the bytes; undefined for a header and for gaps. */
  readonly chunk: TensorChunk | undefined;
  /** Bytes, in a separate buffer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The maximum bytes of a gap that are read at once. */
const GAP_BYTES = 2 ** 20;

/**
 * Yields all bytes of a file, in order and each once; returns their SHA-256.
 *
 * @param chunks Chunks of this file, in order.
 * @throws {QuantizationError} If the file is shorter than its header declares.
 */
export async function* readPieces(
  { path, size }: SourceOnDisk,
  chunks: readonly TensorChunk[],
): AsyncGenerator<Piece, string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  for (const { chunk, length } of stretches(size, chunks)) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await file.read(bytes.subarray(at));
      if (count === null) {
        throw new QuantizationError(path, "it was truncated while it was read");
      }
      at += count;
    }
    hash.update(bytes);
    yield { chunk, bytes };
  }
  return hash.digest("hex");
}

/** Yields the ranges of chunks and of the gaps between them. */
function* stretches(
  size: number,
  chunks: readonly TensorChunk[],
): Generator<{ chunk: TensorChunk | undefined; length: number }> {
  let at = 0;
  for (const chunk of [...chunks, undefined]) {
    const next = chunk?.offset ?? size;
    while (at < next) {
      const length = Math.min(GAP_BYTES, next - at);
      yield { chunk: undefined, length };
      at += length;
    }
    if (chunk === undefined) return;
    yield { chunk, length: chunk.length };
    at += chunk.length;
  }
}
