/**
 * The reader of compressed bodies, which KServe's clients may send.
 *
 * @module
 */

import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { FairQueue } from "../../../lib/async/fair_queue.ts";
import { readBytes } from "../../http/body.ts";
import { countBytes } from "../../http/connection/request_body.ts";
import {
  BodyTooLargeError,
  MalformedBodyError,
  MediaTypeError,
} from "../../http/errors/errors.ts";

/** Decompressors by content coding of HTTP. */
const FORMATS = new Map([
  ["gzip", promisify(gunzip)],
  // HTTP's name for zlib's format.
  ["deflate", promisify(inflate)],
]);

/** Bytes of a decompressor's output chunk. */
const CHUNK_BYTES = 2 ** 20;

/** Queue of one body at a time: the size is known only after decompression. */
const queue = new FairQueue();

/**
 * Reads the body of `request`, decompressed.
 *
 * `node:zlib` instead of `DecompressionStream`, whose small parts keep the
 * event loop busy: 100 MiB of zeros stalled it for 2.2 s, and now for 10 ms.
 *
 * @param maxBytes Maximum bytes, both compressed and decompressed.
 * @throws {BodyTooLargeError} If it exceeds the limit; thrown once that is
 * known.
 * @throws {MediaTypeError} If its encoding is not supported.
 * @throws {MalformedBodyError} If there is none, or it is truncated.
 */
export async function readCompressed(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ??
    "identity";
  if (encoding === "identity") return await readBytes(request, maxBytes);
  const decompress = FORMATS.get(encoding);
  if (decompress === undefined) {
    throw new MediaTypeError(
      "supported values of Content-Encoding are gzip and deflate",
    );
  }
  const packed = await readBytes(request, maxBytes, { encoded: true });
  const options = { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES };
  return await queue.run(async () => {
    const bytes = await decompress(packed, options).catch((cause) => {
      if (cause?.code === "ERR_BUFFER_TOO_LARGE") {
        throw new BodyTooLargeError(maxBytes);
      }
      throw new MalformedBodyError(`it is not valid ${encoding}`, { cause });
    });
    countBytes(request, bytes.length);
    return new Uint8Array(bytes);
  }, { signal: request.signal });
}
