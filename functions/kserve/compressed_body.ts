/**
 * Bodies that may be compressed, as KServe's clients offer it.
 *
 * @module
 */

import { OverloadedError } from "../../lib/errors.ts";
import { readBytes } from "../body.ts";
import { countBytes } from "../http/request_body.ts";
import {
  BodyTooLargeError,
  MalformedBodyError,
  MediaTypeError,
} from "../refusals.ts";

/** What is taken, by the name that HTTP has for it. */
const FORMATS: ReadonlyMap<string, CompressionFormat> = new Map([
  ["gzip", "gzip"],
  // zlib's format, as HTTP has it.
  ["deflate", "deflate"],
]);

/**
 * The body of `request`, decompressed.
 *
 * @param maxBytes That it may have, compressed and not.
 * @throws {BodyTooLargeError} As soon as it is known.
 * @throws {MediaTypeError} When its encoding is not taken.
 * @throws {MalformedBodyError} When there is none, or it breaks off.
 */
export async function readCompressed(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ??
    "identity";
  if (encoding === "identity") return await readBytes(request, maxBytes);
  const format = FORMATS.get(encoding);
  if (format === undefined) {
    throw new MediaTypeError("Content-Encoding gzip and deflate are taken");
  }
  const packed = await readBytes(request, maxBytes, { encoded: true });
  const count = (bytes: number) => countBytes(request, bytes);
  return await decompress(packed, format, maxBytes, count);
}

async function decompress(
  packed: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maxBytes: number,
  count: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([packed]).stream()
    .pipeThrough(new DecompressionStream(format));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > maxBytes) throw new BodyTooLargeError(maxBytes);
      count(part.length);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof BodyTooLargeError) throw cause;
    if (cause instanceof OverloadedError) throw cause;
    throw new MalformedBodyError(`it is not ${format}`, { cause });
  }
  return await new Blob(parts).bytes();
}
