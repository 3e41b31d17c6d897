/**
 * The reader of a stream of binary PPM pictures, one at a time.
 *
 * ```text
 * P6 ⏎ width ␣ height ⏎ 255 ⏎ [height, width, 3] bytes   P6 ⏎ …
 * ```
 *
 * Each picture states its size, so a reader never has to trust another source
 * for it.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../../errors.ts";
import type { RgbImage } from "../image.ts";

/** An upper bound of the length of a header, in bytes. */
const MAX_HEADER_BYTES = 64;

/** The header, as ffmpeg writes it. */
const HEADER = /^P6\n(\d{1,9}) (\d{1,9})\n255\n/;

/**
 * Yields the pictures of a stream. Only one is in memory, and the stream is read
 * no faster than pictures are taken.
 *
 * @throws {ImageError} If the stream is no PPM, or ends within a picture.
 * @throws {ImageTooLargeError} If a picture has more than `maxPixels`.
 */
export async function* readPpm(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxPixels: number,
): AsyncGenerator<RgbImage> {
  const reader = stream.getReader();
  try {
    const source = new ByteSource(reader);
    while (await source.fill(MAX_HEADER_BYTES) > 0) {
      const text = String.fromCharCode(...source.peek(MAX_HEADER_BYTES));
      const header = HEADER.exec(text);
      if (header === null) throw new ImageError("its frames are unreadable");
      source.skip(header[0].length);
      const [width, height] = [Number(header[1]), Number(header[2])];
      if (height * width > maxPixels) {
        throw new ImageTooLargeError(
          `a video of ${height}×${width} pixels (height×width) exceeds the limit of ${maxPixels}; send a smaller one`,
        );
      }
      const pixels = new Uint8ClampedArray(3 * height * width);
      if (!await source.read(pixels)) {
        throw new ImageError("it is damaged: a frame is incomplete");
      }
      yield { height, width, pixels };
    }
  } finally {
    await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

/** The bytes of a stream, with a look ahead. */
class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #ahead = new Uint8Array(0);

  constructor(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>) {
    this.#reader = reader;
  }

  /** Reads until `length` bytes are ahead; returns fewer at the end. */
  async fill(length: number): Promise<number> {
    while (this.#ahead.length < length) {
      const { value } = await this.#reader.read();
      if (value === undefined) break;
      const joined = new Uint8Array(this.#ahead.length + value.length);
      joined.set(this.#ahead);
      joined.set(value, this.#ahead.length);
      this.#ahead = joined;
    }
    return this.#ahead.length;
  }

  peek(length: number): Uint8Array {
    return this.#ahead.subarray(0, length);
  }

  skip(length: number): void {
    this.#ahead = this.#ahead.subarray(length);
  }

  /** Fills `target`; returns false if the stream ends before. */
  async read(target: Uint8ClampedArray): Promise<boolean> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#ahead.length === 0 && await this.fill(1) === 0) return false;
      const part = this.peek(target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.skip(part.length);
    }
    return true;
  }
}
