/**
 * The budget of pixels of a server: the bytes that pictures take while they are
 * decoded, resized, encoded and written, in all requests together.
 *
 * @module
 */

import { Budget } from "../../lib/async/budget.ts";
import { MAX_DECODE_BYTES_PER_PIXEL } from "../../lib/image/pixel_cost.ts";
import type { Limits } from "../models/ports.ts";

/** The part of the memory that pixels have by default. */
const MEMORY_SHARE = 1 / 8;

/**
 * The amount of a small request, in bytes: a megapixel or more. Small requests
 * pass large ones.
 */
const SMALL_BYTES = 2 ** 25;

/** Bytes that large requests leave to small ones, beside the budget. */
export const RESERVED_BYTES = 2 * SMALL_BYTES;

/** The longest time that a picture is let wait for its share, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/** The pixels of a picture that are taken where there is memory for them. */
const MOST_PIXELS = 64_000_000;

/** The part of the memory that the greatest picture may take at its peak. */
const PICTURE_SHARE = 1 / 2;

/** The settings that decide the budget. */
export interface PixelBudgetOptions {
  /** `PIXEL_BYTES`; undefined for a share of the memory. */
  readonly pixelBytes: number | undefined;
  /** Bytes that the process may have. */
  readonly memoryBytes: number;
  /** Requests of one caller that may wait. */
  readonly queueLimit: number;
  /** Limits of one picture. */
  readonly limits: Pick<Limits, "maxPixels">;
}

/** Returns the pixels that a picture may have unless `MAX_PIXELS` says it. */
export function defaultMaxPixels(memoryBytes: number): number {
  const fitting = PICTURE_SHARE * memoryBytes / MAX_DECODE_BYTES_PER_PIXEL;
  return Math.min(MOST_PIXELS, Math.floor(fitting));
}

/**
 * Returns the bytes that large requests may hold: never less than a picture of
 * the greatest size takes, which is decoded when nothing else is held.
 */
export function pixelBudgetBytes(
  { pixelBytes, memoryBytes, limits }: PixelBudgetOptions,
): number {
  return Math.max(
    pixelBytes ?? Math.floor(memoryBytes * MEMORY_SHARE),
    MAX_DECODE_BYTES_PER_PIXEL * limits.maxPixels,
  );
}

/** Makes the budget of a server. */
export function pixelBudget(options: PixelBudgetOptions): Budget {
  return new Budget({
    total: pixelBudgetBytes(options) + RESERVED_BYTES,
    reserved: RESERVED_BYTES,
    smallAmount: SMALL_BYTES,
    maxWaitMs: MAX_WAIT_MS,
    maxWaiting: options.queueLimit,
    now: () => performance.now(),
  });
}
