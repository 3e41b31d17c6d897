/**
 * The folders of one language model in every measured format, which may be kept
 * from run to run.
 *
 * @module
 */

import { join } from "node:path";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { writeMiddle, writeSmallVision } from "./middle_checkpoint.ts";
import { runPeer } from "./peers.ts";

/** Precisions in which this server is measured. */
export const PRECISIONS = ["fp32", "int8", "int4"] as const;

/** The paths of all formats. */
export interface Folders {
  /** Folders of language models. */
  readonly language: Readonly<Record<typeof PRECISIONS[number], string>>;
  /** Folder of the vision tokenizer. */
  readonly vision: string;
  /** File for llama.cpp; undefined if Python cannot write it. */
  readonly gguf: string | undefined;
}

/** Creates the missing folders. */
export async function prepareFolders(root: string): Promise<Folders> {
  const fp32 = join(root, "middle");
  const vision = join(root, "vision");
  const gguf = join(root, "middle.gguf");
  await make(fp32, (folder) => writeMiddle(folder, "BF16"));
  await make(vision, writeSmallVision);
  const threads = navigator.hardwareConcurrency;
  const int8 = await makeQuantized(fp32, { precision: "int8", threads });
  const int4 = await makeQuantized(fp32, { precision: "int4", threads });
  const written = await isThere(gguf) || await runPeer(["gguf", fp32, gguf]);
  return {
    language: { fp32, int8, int4 },
    vision,
    gguf: written ? gguf : undefined,
  };
}

/** Creates the quantized copy of a checkpoint if it is missing; returns its path. */
export async function makeQuantized(
  whole: string,
  how: {
    readonly precision: "int8" | "int4";
    readonly threads: number;
  },
): Promise<string> {
  const target = `${whole}-${how.precision}`;
  if (await isThere(target)) return target;
  const progress = quantizeCheckpoint(whole, target, {
    ...how,
    program: "bench",
  });
  for await (const _ of progress);
  return target;
}

/**
 * Creates a folder if it is missing, under a temporary name until it is
 * complete.
 */
export async function make(
  folder: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  if (await isThere(folder)) return;
  const partial = `${folder}.partial`;
  await Deno.mkdir(partial, { recursive: true });
  await write(partial);
  await Deno.rename(partial, folder);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
