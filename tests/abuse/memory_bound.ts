/**
 * The bound of resident memory: the formula of functions/docs/operations.md,
 * for the settings of a test.
 *
 * @module
 */

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** Settings of the server under attack, beside the defaults. */
export const SETTINGS = {
  // Half of a published model's need.
  KV_BYTES: `${GIBIBYTE}`,
  PIXEL_BYTES: `${GIBIBYTE}`,
} as const;

/** The memory limits of a server. */
export interface MemoryBound {
  /** Total bytes. */
  readonly bytes: number;
  /** Bytes of a server with the embedded model after a few requests. */
  readonly idle: number;
}

/**
 * Returns the bound of a server with the embedded model and {@linkcode
 * SETTINGS}.
 */
export function memoryBound(): MemoryBound {
  const idle = 350 * MEBIBYTE;
  const maxPixels = 64_000_000;
  const body = 32 * MEBIBYTE;
  const unread = 128 * MEBIBYTE;
  const memory = Deno.systemMemoryInfo().total;
  const parts = [
    idle,
    Number(SETTINGS.KV_BYTES),
    GIBIBYTE,
    Math.max(Number(SETTINGS.PIXEL_BYTES), 28 * maxPixels),
    64 * MEBIBYTE,
    512 * MEBIBYTE,
    2 * 4 / 3 * 4 * body,
    4 * body,
    2 * 4 / 3 * unread,
    65_536 * 4 / 3 * 1024,
    Math.max(3 * GIBIBYTE, memory / 4),
  ];
  return { bytes: parts.reduce((sum, part) => sum + part), idle };
}
