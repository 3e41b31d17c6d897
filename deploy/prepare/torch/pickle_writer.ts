/**
 * The writer of Python pickles, protocol 2: the few opcodes that a dictionary
 * of texts, numbers and one tensor takes.
 *
 * npm has readers of pickles but no writer that names Python's classes. Source:
 * Lib/pickletools.py.
 *
 * @module
 */

/** A writer of one pickle. */
export class PickleWriter {
  readonly #bytes: number[] = [0x80, 2];

  /** Writes an opcode by its character. */
  code(character: string): this {
    this.#bytes.push(character.charCodeAt(0));
    return this;
  }

  /** Writes a text; a lone surrogate becomes U+FFFD. */
  text(value: string): this {
    const encoded = new TextEncoder().encode(value);
    this.code("X").#uint32(encoded.length);
    for (const byte of encoded) this.#bytes.push(byte);
    return this;
  }

  /** Writes a whole number from 0 to 2³¹ − 1. */
  integer(value: number): this {
    if (value < 0x100) {
      this.code("K").#bytes.push(value);
      return this;
    }
    return this.code("J").#uint32(value);
  }

  /** Writes a reference to a class or function of Python. */
  global(module: string, name: string): this {
    this.code("c");
    for (const byte of new TextEncoder().encode(`${module}\n${name}\n`)) {
      this.#bytes.push(byte);
    }
    return this;
  }

  /** Returns the bytes of the finished pickle. */
  finish(): Uint8Array<ArrayBuffer> {
    this.code(".");
    return Uint8Array.from(this.#bytes);
  }

  #uint32(value: number): this {
    for (let shift = 0; shift < 32; shift += 8) {
      this.#bytes.push((value >>> shift) & 0xff);
    }
    return this;
  }
}
