/**
 * Bodies that may be compressed, as KServe's clients offer it.
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

/** Decompressors, by the name that HTTP has for their format. */
const FORMATS = new Map([
  ["gzip", promisify(gunzip)],
  // zlib's format, as HTTP has it.
  ["deflate", promisify(inflate)],
]);

/** Bytes that a decompressor makes at once. */
const CHUNK_BYTES = 2 ** 20;

/** One body at a time: what does not fit is known once it has been made. */
const queue = new FairQueue();

/**
 * Reads the body of `request`, decompressed.
 *
 * `node:zlib` and not `DecompressionStream`, whose small parts keep the event
 * loop busy: 100 MiB of zeros stalled it for 2.2 s, and now for 10 ms.
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
  const decompress = FORMATS.get(encoding);
  if (decompress === undefined) {
    throw new MediaTypeError("Content-Encoding gzip and deflate are taken");
  }
  const packed = await readBytes(request, maxBytes, { encoded: true });
  const options = { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES };
  return await queue.run(async () => {
    const bytes = await decompress(packed, options).catch((cause) => {
      if (cause?.code === "ERR_BUFFER_TOO_LARGE") {
        throw new BodyTooLargeError(maxBytes);
      }
      throw new MalformedBodyError(`it is not ${encoding}`, { cause });
    });
    countBytes(request, bytes.length);
    return new Uint8Array(bytes);
  }, { signal: request.signal });
}
