/**
 * The input file as a stream, with the fraction that was read.
 *
 * @module
 */

import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";

/** A file that is read from its beginning to its end. */
export class InputStream implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  readonly #chunkBytes: number;
  #read = 0;

  private constructor(file: Deno.FsFile, size: number, chunkBytes: number) {
    this.#file = file;
    this.#size = size;
    this.#chunkBytes = chunkBytes;
  }

  /**
   * Opens the file at `path`.
   *
   * @param chunkBytes Bytes that are read at once, which the share counts as
   * handed out.
   * @throws {PreparationError} If it cannot be opened; names the reason.
   */
  static async open(
    path: string,
    chunkBytes: number = CHUNK_BYTES,
  ): Promise<InputStream> {
    try {
      const file = await Deno.open(path);
      return new InputStream(file, (await file.stat()).size, chunkBytes);
    } catch (cause) {
      const reason = readReason(cause);
      throw new PreparationError(`${path}: ${reason}`, { cause });
    }
  }

  /** Fraction of the file that was read, 0 to 1. */
  get share(): number {
    return this.#size === 0 ? 1 : Math.min(1, this.#read / this.#size);
  }

  /** Yields the bytes of the file; consumers may keep the chunks. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const chunk = new Uint8Array(this.#chunkBytes);
      const count = await this.#file.read(chunk);
      if (count === null) return;
      this.#read += count;
      yield chunk.subarray(0, count);
    }
  }

  /** Yields the lines of the file, without their ends; empty ones too. */
  async *lines(): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.chunks()) {
      // Split at line feeds only: JSON may contain U+2028.
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(
        "\n",
      );
      rest = lines.pop()!;
      for (const line of lines) yield line.replace(/\r$/, "");
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Bytes of a chunk of an archive. */
const CHUNK_BYTES = 2 ** 16;

/** Bytes of a chunk of a file of texts: a few dozen records. */
export const TEXT_CHUNK_BYTES: number = 2 ** 12;

/** Returns the first bytes of the file at `path`, at most `count`. */
export async function firstBytes(
  path: string,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  using stream = await InputStream.open(path);
  for await (const chunk of stream.chunks()) return chunk.subarray(0, count);
  return new Uint8Array();
}
