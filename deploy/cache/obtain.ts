/**
 * A model's folder, wherever the model is.
 *
 * @module
 */

import { locate, type Places } from "./locate.ts";

/** How far it is. */
export interface ObtainProgress {
  /** What is done: waiting is for another process that downloads the same. */
  readonly phase: "resolve" | "wait" | "download" | "verify";
  /** Bytes that are here, those of an earlier attempt included. */
  readonly bytes: number;
  /** Bytes in all; undefined while that is not known. */
  readonly totalBytes: number | undefined;
  /** Where they come from, for people. */
  readonly place: string;
}

/** How to get it. */
export interface ObtainOptions {
  /** Where it may be. */
  readonly places: Places;
  /** Hears how far it is, often. */
  readonly onProgress: (progress: ObtainProgress) => void;
  /** Gives it up; what has come is kept for the next attempt. */
  readonly signal: AbortSignal;
}

/**
 * The folder of `source`.
 *
 * @throws {SourceError} When no place has it, saying what each answered.
 */
export async function obtain(
  source: string,
  { places }: ObtainOptions,
): Promise<string> {
  return await locate(source, places);
}
