/**
 * The entropy decoder of JPEG: Huffman codes and bits of a scan.
 *
 * ```text
 * bytes, 0xFF 0x00 for 0xFF ─▶ bits ─▶ code ─▶ symbol: run of zeros, bits of a value
 * ```
 *
 * Source: ITU-T T.81, annexes C and F.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";

/** A Huffman table. */
export interface HuffmanTable {
  /**
   * Length and symbol, `length << 8 | symbol`, of the code at the start of each
   * 16 bits, `[2 ** 16]`; 0 for none.
   */
  readonly codes: Uint16Array;
}

/**
 * Returns the table of a DHT segment.
 *
 * @param counts Number of codes of each length, `[16]`.
 * @param symbols Symbols in the order of their codes.
 * @throws {ImageError} If there are more codes than their lengths allow.
 */
export function huffmanTable(
  counts: Uint8Array,
  symbols: Uint8Array,
): HuffmanTable {
  const codes = new Uint16Array(2 ** 16);
  let next = 0;
  let at = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < counts[length - 1]!; i++) {
      const span = 2 ** (16 - length);
      if (next + span > codes.length) {
        throw new ImageError(
          "the JPEG is damaged: a Huffman table is overfull",
        );
      }
      codes.fill(length << 8 | (symbols[at++] ?? 0), next, next + span);
      next += span;
    }
  }
  return { codes };
}

/** Reads the bits of a scan, up to its next marker. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #buffer = 0;
  #bits = 0;

  /**
   * Creates a reader at a byte.
   *
   * @param at Offset of the first byte.
   */
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Reads the symbol of the next code. */
  symbol({ codes }: HuffmanTable): number {
    if (this.#bits < 16) this.#fill();
    const missing = 16 - this.#bits;
    // Padded with ones beyond the end: no code consists of ones alone.
    const window = missing > 0
      ? this.#buffer << missing | (1 << missing) - 1
      : this.#buffer >>> -missing;
    const found = codes[window & 0xffff]!;
    const length = found >> 8;
    if (length === 0 || length > this.#bits) throw this.#failure();
    this.#bits -= length;
    return found & 255;
  }

  /** Reads up to 16 bits as a number. */
  bits(count: number): number {
    if (count === 0) return 0;
    if (this.#bits < count) this.#fill();
    if (this.#bits < count) throw this.#failure();
    this.#bits -= count;
    return this.#buffer >>> this.#bits & ((1 << count) - 1);
  }

  /**
   * Reads a value of `count` bits; the upper half of their range is positive.
   */
  value(count: number): number {
    const bits = this.bits(count);
    return count > 0 && bits < 1 << (count - 1)
      ? bits - (1 << count) + 1
      : bits;
  }

  /** Skips the rest of a byte and the restart marker after it. */
  restart(): void {
    this.#bits = 0;
    const bytes = this.#bytes;
    while (bytes[this.#at] === 0xff && bytes[this.#at + 1] === 0xff) this.#at++;
    const marker = bytes[this.#at + 1];
    const isRestart = bytes[this.#at] === 0xff && marker !== undefined &&
      marker >= 0xd0 && marker <= 0xd7;
    if (!isRestart) throw this.#failure();
    this.#at += 2;
  }

  /** Fills the buffer to 17 bits or more, or to the end of the scan. */
  #fill(): void {
    const bytes = this.#bytes;
    while (this.#bits <= 16 && this.#at < bytes.length) {
      const byte = bytes[this.#at]!;
      if (byte === 0xff) {
        if (bytes[this.#at + 1] !== 0) return;
        this.#at++;
      }
      this.#at++;
      this.#buffer = (this.#buffer & 0xffff) << 8 | byte;
      this.#bits += 8;
    }
  }

  #failure(): ImageError {
    return new ImageError(
      this.#bits < 16 ? "the JPEG is truncated" : "the JPEG is damaged",
    );
  }
}
