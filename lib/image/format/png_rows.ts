/**
 * The decoder of PNG rows: inflates and unfilters picture data.
 *
 * ```text
 * IDAT… ─ inflate ─▶ filter type │ filtered row … ─ unfilter ─▶ row …
 * ```
 *
 * It inflates only the bytes of the rows, and ignores later bytes and the zlib
 * checksum, as Pillow and browsers do. Memory is two rows. Colors are converted
 * in `png_pixels.ts`.
 *
 * Own code on the platform's zlib, because ImageScript's decoder refuses
 * trailing data, holds several copies of all rows, and takes four times as
 * long. Source: W3C PNG, third edition, clauses 9 and 10.
 *
 * @module
 */

import { Readable } from "node:stream";
import { constants, createInflateRaw } from "node:zlib";
import { ImageError } from "../../errors.ts";
import type { PngShape } from "./png.ts";

/**
 * A part of a PNG that is stored as its own picture: all of it, or an Adam7
 * pass.
 */
export interface PngPass {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Index of its first row in the picture. */
  readonly top: number;
  /** Index of its first column in the picture. */
  readonly left: number;
  /** Stride between its rows, in rows of the picture. */
  readonly down: number;
  /** Stride between its columns, in columns of the picture. */
  readonly right: number;
}

/** A row of a pass. */
export interface PngRow {
  /** Packed samples; valid until the row after next is read. */
  readonly bytes: Uint8Array;
  /** The pass of the row. */
  readonly pass: PngPass;
  /** Index of the row in the pass. */
  readonly y: number;
}

/** Samples of a pixel by color type. */
export const PNG_CHANNELS: Readonly<Record<number, number>> = {
  0: 1,
  2: 3,
  3: 1,
  4: 2,
  6: 4,
};

/** The passes of Adam7: top, left, down and right. */
const ADAM7 = [
  [0, 0, 8, 8],
  [0, 4, 8, 8],
  [4, 0, 8, 4],
  [0, 2, 4, 4],
  [2, 0, 4, 2],
  [0, 1, 2, 2],
  [1, 0, 2, 1],
] as const;

/** Bytes of the zlib header before the deflated data. */
const ZLIB_HEADER = 2;

/**
 * Yields the rows of a picture in the order of storage.
 *
 * @param data The picture's data, in parts.
 * @throws {ImageError} If it is damaged, or ends before the last row.
 */
export async function* pngRows(
  shape: PngShape,
  data: readonly Uint8Array[],
): AsyncGenerator<PngRow, void, undefined> {
  const bits = shape.depth * PNG_CHANNELS[shape.colorType]!;
  const stride = Math.max(1, bits >> 3);
  const reader = new ByteReader(inflated(data));
  for (const pass of passesOf(shape)) {
    const length = Math.ceil(pass.width * bits / 8);
    // A row is preceded by its filter type.
    let row = new Uint8Array(length + 1);
    let above = new Uint8Array(length + 1);
    for (let y = 0; y < pass.height; y++) {
      await reader.read(row);
      unfilter(row, above, stride);
      yield { bytes: row.subarray(1), pass, y };
      [row, above] = [above, row];
    }
  }
  await reader.close();
}

/** Returns the passes that have pixels. */
function passesOf({ height, width, interlaced }: PngShape): PngPass[] {
  if (!interlaced) {
    return [{ height, width, top: 0, left: 0, down: 1, right: 1 }];
  }
  return ADAM7.map(([top, left, down, right]) => ({
    height: Math.ceil((height - top) / down),
    width: Math.ceil((width - left) / right),
    ...{ top, left, down, right },
  })).filter(({ height, width }) => height > 0 && width > 0);
}

/** Inflates `data`; skips the zlib header and ignores the checksum. */
function inflated(
  data: readonly Uint8Array[],
): AsyncIterator<Uint8Array, unknown> {
  let skip = ZLIB_HEADER;
  const parts = data.map((part) => {
    const rest = part.subarray(skip);
    skip -= part.length - rest.length;
    return rest;
  });
  // Data that ends early still yields its rows.
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  Readable.from(parts).pipe(inflate);
  return inflate[Symbol.asyncIterator]();
}

/** Reads whole rows from bytes that arrive in parts of any length. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array, unknown>;
  #part: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(source: AsyncIterator<Uint8Array, unknown>) {
    this.#source = source;
  }

  /**
   * @param row Bytes of the row; overwritten.
   */
  async read(row: Uint8Array): Promise<void> {
    for (let filled = 0; filled < row.length;) {
      if (this.#at === this.#part.length) await this.#next();
      const part = this.#part.subarray(
        this.#at,
        this.#at + row.length - filled,
      );
      row.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
  }

  /** Stops inflating. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw new ImageError("the PNG is truncated: rows are missing");
    this.#part = value;
    this.#at = 0;
  }
}

/**
 * Undoes the filter of a row.
 *
 * @param row Filter type and bytes, `[1 + length]`; overwritten.
 * @param above The row before it, unfiltered, `[1 + length]`; zeros before the
 * first.
 * @param stride Bytes from a sample to the same sample of the next pixel.
 */
function unfilter(row: Uint8Array, above: Uint8Array, stride: number): void {
  const first = 1 + stride;
  switch (row[0]) {
    case 0:
      return;
    case 1: // Sub
      for (let i = first; i < row.length; i++) row[i]! += row[i - stride]!;
      return;
    case 2: // Up
      for (let i = 1; i < row.length; i++) row[i]! += above[i]!;
      return;
    case 3: // Average
      for (let i = 1; i < row.length; i++) {
        const left = i < first ? 0 : row[i - stride]!;
        row[i]! += (left + above[i]!) >> 1;
      }
      return;
    case 4: // Paeth
      for (let i = 1; i < first && i < row.length; i++) row[i]! += above[i]!;
      for (let i = first; i < row.length; i++) {
        row[i]! += paeth(row[i - stride]!, above[i]!, above[i - stride]!);
      }
      return;
    default:
      throw new ImageError(`the PNG is damaged: a row has filter ${row[0]}`);
  }
}

/**
 * Returns the one of three neighbors that is nearest to `left + up − corner`.
 */
function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
