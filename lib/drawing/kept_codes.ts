/**
 * The kept codes of a picture, around which the others are drawn: inpainting in
 * raster order.
 *
 * ```text
 * k k k k k k      k kept: appended unchanged, never drawn
 * k k ▒ ▒ k k      ▒ drawn, given all codes before it, kept ones included
 * k ▒ ▒ ▒ k k      a drawn code does not attend to later kept codes
 * ```
 *
 * @module
 */

import { type CodeGrid, firstRows } from "../grid.ts";

/** The codes of a picture, with a mask of the kept ones. */
export interface KeptCodes extends CodeGrid {
  /** Mask `[height × width]`: 1 for a kept code, 0 for a drawn one. */
  readonly kept: Uint8Array<ArrayBuffer>;
}

/**
 * Returns the rows above the first code that is drawn, which a prompt can hold;
 * undefined for none.
 */
export function keptPrefix(codes: KeptCodes): CodeGrid | undefined {
  const first = codes.kept.indexOf(0);
  const rows = first === -1 ? codes.height : Math.floor(first / codes.width);
  return rows === 0 ? undefined : firstRows(codes, rows);
}

/** Returns the number of codes that are drawn. */
export function drawnCount({ kept }: KeptCodes): number {
  return kept.reduce((count, stays) => count + 1 - stays, 0);
}
