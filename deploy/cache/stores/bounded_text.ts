/**
 * The text of a response, bounded in length.
 *
 * @module
 */

import { RemoteError } from "../net/remote.ts";
import { type RequestContext, unanswered } from "./answer.ts";

/**
 * Returns the whole text of a response.
 *
 * @throws {RemoteError} When it has over `most` bytes, or ends too early.
 */
export async function boundedText(
  context: RequestContext,
  answer: Response,
  most: number,
  signal: AbortSignal,
): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for await (const part of answer.body ?? []) {
      parts.push(part);
      bytes += part.length;
      if (bytes > most) break;
    }
  } catch (cause) {
    throw unanswered(context, cause, signal);
  }
  if (bytes <= most) return await new Blob(parts).text();
  throw new RemoteError(
    `Cannot ${context.what}: it has over ${most} bytes; check the name`,
    { type: "elsewhere" },
  );
}
