/**
 * The decoder of a JPEG scan's blocks of 64 coefficients, or of a part of their
 * bits.
 *
 * ```text
 * sequential   DC difference │ (run of zeros, value)… │ end of block
 * progressive  DC or a band of AC, first without its lowest bits, then bit by bit
 * ```
 *
 * Source: ITU-T T.81, annexes F and G.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";
import type { BitReader, HuffmanTable } from "./jpeg_huffman.ts";

/**
 * Indices of the coefficients in row order, by their order of storage (zigzag).
 */
export const ZIGZAG: Uint8Array = Uint8Array.fromHex(
  "000108100902030a11182019120b04050c131a21283029221b140d06070e151c" +
    "232a313839322b241d160f171e252c333a3b342d261f272e353c3d362f373e3f",
);

/** The coefficients that a scan reads. */
export interface SampleBand {
  /** Index of the first coefficient. */
  readonly start: number;
  /** Index of the last coefficient. */
  readonly end: number;
  /** Index of the bit above those read; 0 in the first scan of the band. */
  readonly high: number;
  /** Index of the lowest bit that is read. */
  readonly low: number;
}

/** The state of a component in a scan. */
export interface BlockChannel {
  /** The last DC value. */
  previous: number;
}

/** The tables of a component in a scan. */
export interface BlockTables {
  /** The component. */
  readonly channel: BlockChannel;
  /** Table of DC; undefined if there is none. */
  readonly dc: HuffmanTable | undefined;
  /** Table of AC; undefined if there is none. */
  readonly ac: HuffmanTable | undefined;
}

/** Reads the blocks of a scan. */
export class BlockReader {
  readonly #reader: BitReader;
  readonly #band: SampleBand;
  readonly #progressive: boolean;
  /** Number of following blocks in which the band is empty. */
  #endOfBand = 0;

  /**
   * Creates a reader at the first block.
   *
   * @param reader Reader of the scan's bits.
   */
  constructor(
    reader: BitReader,
    band: SampleBand,
    { progressive }: { readonly progressive: boolean },
  ) {
    this.#reader = reader;
    this.#band = band;
    this.#progressive = progressive;
  }

  /** Skips a restart marker; the caller resets DC values. */
  restart(): void {
    this.#reader.restart();
    this.#endOfBand = 0;
  }

  /**
   * Reads a block.
   *
   * @param block Coefficients `[64]` in row order; overwritten, or refined.
   */
  read(tables: BlockTables, block: Int16Array): void {
    const { start, end, high } = this.#band;
    if (start === 0) this.#readDc(tables, block);
    if (end === 0) return;
    if (tables.ac === undefined) throw noTable();
    if (!this.#progressive) readSequential(this.#reader, tables.ac, block);
    else if (high === 0) this.#readBand(tables.ac, block);
    else this.#refineBand(tables.ac, block);
  }

  #readDc({ channel, dc }: BlockTables, block: Int16Array): void {
    const { high, low } = this.#band;
    const reader = this.#reader;
    if (high > 0) {
      block[0]! |= reader.bits(1) << low;
      return;
    }
    if (dc === undefined) throw noTable();
    channel.previous += reader.value(reader.symbol(dc) & 15);
    block[0] = channel.previous << low;
  }

  #readBand(ac: HuffmanTable, block: Int16Array): void {
    const { start, end, low } = this.#band;
    const reader = this.#reader;
    if (this.#endOfBand > 0) {
      this.#endOfBand--;
      return;
    }
    for (let k = Math.max(1, start); k <= end; k++) {
      const symbol = reader.symbol(ac);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0 && run < 15) {
        this.#endOfBand = (1 << run) - 1 + reader.bits(run);
        return;
      }
      k += run;
      if (size > 0 && k <= end) block[ZIGZAG[k]!] = reader.value(size) << low;
    }
  }

  #refineBand(ac: HuffmanTable, block: Int16Array): void {
    const { start, end, low } = this.#band;
    const reader = this.#reader;
    const bit = 1 << low;
    const refine = (at: number) => {
      const value = block[at]!;
      if (reader.bits(1) === 1 && (value & bit) === 0) {
        block[at] = value + (value > 0 ? bit : -bit);
      }
    };
    let k = Math.max(1, start);
    while (k <= end && this.#endOfBand === 0) {
      const symbol = reader.symbol(ac);
      let run = symbol >> 4;
      const isNew = (symbol & 15) !== 0;
      if (!isNew && run < 15) {
        this.#endOfBand = (1 << run) + reader.bits(run);
        break;
      }
      const value = isNew ? (reader.bits(1) === 1 ? bit : -bit) : 0;
      for (; k <= end; k++) {
        const at = ZIGZAG[k]!;
        if (block[at] !== 0) refine(at);
        else if (run-- === 0) {
          block[at] = value;
          k++;
          break;
        }
      }
    }
    if (this.#endOfBand === 0) return;
    for (; k <= end; k++) {
      const at = ZIGZAG[k]!;
      if (block[at] !== 0) refine(at);
    }
    this.#endOfBand--;
  }
}

function readSequential(
  reader: BitReader,
  ac: HuffmanTable,
  block: Int16Array,
): void {
  for (let k = 1; k < 64; k++) {
    const symbol = reader.symbol(ac);
    const size = symbol & 15;
    k += symbol >> 4;
    if (size > 0) {
      const value = reader.value(size);
      if (k < 64) block[ZIGZAG[k]!] = value;
    } else if (symbol >> 4 < 15) return;
  }
}

function noTable(): ImageError {
  return new ImageError("the JPEG is damaged: a Huffman table is missing");
}
