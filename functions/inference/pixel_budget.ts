/**
 * The pixel budget of a server: the bytes that pictures use while they are
 * decoded, resized, encoded and written, in all requests together.
 *
 * @module
 */

import { Budget, type Share } from "../../lib/async/budget.ts";
import { MAX_DECODE_BYTES_PER_PIXEL } from "../../lib/image/pixel_cost.ts";
import type { Call } from "../http/call.ts";
import type { Limits, Tools } from "../models/ports.ts";

/** The default share of the memory for pixels. */
const MEMORY_SHARE = 1 / 8;

/**
 * The maximum bytes of a small request: a megapixel or more. Small requests
 * overtake large ones.
 */
const SMALL_BYTES = 2 ** 25;

/** The bytes reserved for small requests, beside the budget. */
export const RESERVED_BYTES = 2 * SMALL_BYTES;

/** The maximum time that a picture waits for its share, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/** The maximum pixels of a picture if there is memory for them. */
const MOST_PIXELS = 64_000_000;

/** The share of the memory that the largest picture may use at its peak. */
const PICTURE_SHARE = 1 / 2;

/** The settings that decide the budget. */
export interface PixelBudgetOptions {
  /** `PIXEL_BYTES`; undefined for a share of the memory. */
  readonly pixelBytes: number | undefined;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Maximum waiting requests of one caller. */
  readonly queueLimit: number;
  /** Limits of one picture. */
  readonly limits: Pick<Limits, "maxPixels">;
}

/** Returns the default of `MAX_PIXELS`. */
export function defaultMaxPixels(memoryBytes: number): number {
  const fitting = PICTURE_SHARE * memoryBytes / MAX_DECODE_BYTES_PER_PIXEL;
  return Math.min(MOST_PIXELS, Math.floor(fitting));
}

/**
 * Returns the bytes that large requests may hold: at least those of a picture
 * of the largest size, which is decoded when nothing else is held.
 */
export function pixelBudgetBytes(
  { pixelBytes, memoryBytes, limits }: PixelBudgetOptions,
): number {
  return Math.max(
    pixelBytes ?? Math.floor(memoryBytes * MEMORY_SHARE),
    MAX_DECODE_BYTES_PER_PIXEL * limits.maxPixels,
  );
}

/** Creates the budget of a server. */
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

/** The call that pictures are prepared for. */
export type PictureCall = Pick<Call, "signal" | "caller" | "observer">;

/**
 * Acquires bytes of the budget. The call is accepted once they are granted or
 * waited for.
 *
 * @param urgent True for a generated picture, which is never refused.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function acquirePixels(
  { pixels }: Pick<Tools, "pixels">,
  bytes: number,
  { signal, caller, observer }: PictureCall,
  urgent = false,
): Promise<Share> {
  const onAdmitted = observer?.accepted;
  return await pixels.acquire(bytes, { signal, caller, urgent, onAdmitted });
}
