/**
 * The answer sender: hands answers to sockets no faster than clients read them.
 *
 * A socket buffers all that it is given. Answers are therefore written in pieces,
 * each after the one before it has left; the bytes that wait are counted, by
 * address, and a client that takes nothing for a minute is disconnected.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import { FairShare } from "../../lib/async/fair_share.ts";
import { unsentAnswer } from "./malformed_request.ts";

/** Bytes written at once. */
const PIECE_BYTES = 65_536;

/** A client that takes nothing for so long is gone. */
const STALLED_MS = 60_000;

/** Interval of looking for stalled clients. */
const CHECK_MS = 5000;

/** Sends answers and counts what is not read. */
export class AnswerSender {
  readonly #share: FairShare;
  readonly #open = new Map<ServerResponse, { movedAt: number }>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #stalledMs: number;

  /**
   * Sends nothing yet.
   *
   * @param maxUnsentBytes Bytes that one address alone may leave unread.
   */
  constructor(
    maxUnsentBytes: number,
    { stalledMs = STALLED_MS, checkMs = CHECK_MS } = {},
  ) {
    this.#share = new FairShare(maxUnsentBytes);
    this.#stalledMs = stalledMs;
    this.#timer = setInterval(() => this.#dropStalled(), checkMs);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Bytes of answers that clients have not taken. */
  get unsentBytes(): number {
    return this.#share.held;
  }

  /**
   * Returns `answer` as it is to be written to `response`: a whole body is cut
   * into pieces, an event stream passes as it is.
   *
   * An answer to GET that would exceed the address's share becomes a 503; other
   * answers cost a model's time, and their number is limited before.
   */
  async prepare(
    answer: Response,
    response: ServerResponse,
    address: string,
  ): Promise<Response> {
    const { body, status, headers } = answer;
    if (body === null) return answer;
    if (/^text\/event-stream\b/i.test(headers.get("content-type") ?? "")) {
      return answer;
    }
    const reader = body.getReader();
    const first = await reader.read();
    const second = first.done ? first : await reader.read();
    if (!second.done) {
      return new Response(rejoined([first.value!, second.value], reader), {
        status,
        headers,
      });
    }
    const bytes = first.value ?? new Uint8Array();
    const length = bytes.length;
    if (!headers.has("content-length")) {
      headers.set("content-length", `${length}`);
    }
    if (length <= PIECE_BYTES) {
      // It fits into the socket's buffers, where it must not lie for ever.
      this.#open.set(response, { movedAt: performance.now() });
      response.once("close", () => this.#open.delete(response));
      return new Response(bytes, { status, headers });
    }
    const cheap = response.req.method === "GET";
    if (!this.#share.take(address, length)) {
      if (cheap) return unsentAnswer(headers);
      // Counted all the same, so that GETs are refused.
      this.#share.force(address, length);
    }
    const progress = { movedAt: performance.now() };
    this.#open.set(response, progress);
    response.once("close", () => {
      this.#open.delete(response);
      this.#share.release(address, length);
    });
    const pieces = this.#pieces(bytes, progress);
    return new Response(pieces, { status, headers });
  }

  /** Stops looking for stalled clients. */
  close(): void {
    clearInterval(this.#timer);
  }

  #pieces(
    bytes: Uint8Array<ArrayBuffer>,
    progress: { movedAt: number },
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      pull: (controller) => {
        const end = Math.min(at + PIECE_BYTES, bytes.length);
        controller.enqueue(bytes.subarray(at, end));
        at = end;
        progress.movedAt = performance.now();
        if (at === bytes.length) controller.close();
      },
    }, { highWaterMark: 0 });
  }

  #dropStalled(): void {
    const limit = performance.now() - this.#stalledMs;
    for (const [response, { movedAt }] of this.#open) {
      if (movedAt < limit) response.destroy();
    }
  }
}

/** A stream of `parts` and all that `reader` still gives. */
function rejoined(
  parts: readonly Uint8Array<ArrayBuffer>[],
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const first = [...parts];
  return new ReadableStream({
    pull: async (controller) => {
      const part = first.shift();
      if (part !== undefined) return controller.enqueue(part);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
