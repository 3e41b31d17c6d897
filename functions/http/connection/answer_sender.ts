/**
 * The answer sender: writes answers to sockets no faster than clients read
 * them.
 *
 * A socket buffers everything that is written. Large answers are therefore
 * written in pieces, each after the previous one was sent; pending bytes are
 * counted by address, and a client that reads nothing for a minute is
 * disconnected.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { FairShare } from "../../../lib/async/fair_share.ts";
import { PIECE_BYTES, piecesOfBytes, STALLED_MS } from "./paced_body.ts";
import { unsentAnswer } from "./malformed_request.ts";

/** Interval of the check for stalled clients, in milliseconds. */
const CHECK_MS = 5000;

/** A sender of answers that counts unread bytes. */
export class AnswerSender {
  readonly #share: FairShare;
  /** Time at which the last piece of each whole answer was sent. */
  readonly #waiting = new Map<ServerResponse, number>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #stalledMs: number;

  /**
   * Creates a sender.
   *
   * @param maxUnsentBytes Maximum unread bytes of one address.
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

  /** Number of unread bytes of answers. */
  get unsentBytes(): number {
    return this.#share.held;
  }

  /**
   * Writes `answer` to `response`: event streams as they arrive, others whole.
   *
   * An answer to GET that would exceed the address's share becomes a 503; other
   * answers cost a model's time, and their number is limited before.
   */
  async send(
    answer: Response,
    response: ServerResponse,
    address: string,
  ): Promise<void> {
    const headers = headersOf(answer);
    if (answer.body === null || response.req.method === "HEAD") {
      response.writeHead(answer.status, headers).end();
      return;
    }
    // Streams of a known length are paced where they are made.
    const streams = "content-length" in headers ||
      /^text\/event-stream\b/i.test(headers["content-type"] ?? "");
    if (streams) {
      response.writeHead(answer.status, headers);
      response.flushHeaders();
      return await pump(answer.body, response);
    }
    const bytes = await answer.bytes();
    const { length } = bytes;
    headers["content-length"] = `${length}`;
    if (length <= PIECE_BYTES) {
      this.#wait(response);
      response.writeHead(answer.status, headers);
      // Text lets the head and the body be sent in one write.
      response.end(Buffer.from(bytes.buffer).toString("latin1"), "latin1");
      return;
    }
    const cheap = response.req.method === "GET";
    if (!this.#share.take(address, length)) {
      if (cheap) {
        return await this.send(unsentAnswer(answer.headers), response, address);
      }
      // Counted as well, so that GETs are refused.
      this.#share.force(address, length);
    }
    response.once("close", () => this.#share.release(address, length));
    this.#wait(response);
    response.writeHead(answer.status, headers);
    for (const piece of piecesOfBytes(bytes)) {
      if (!response.write(piece)) await drained(response);
      if (response.destroyed) return;
      this.#waiting.set(response, performance.now());
    }
    response.end();
  }

  /** Stops the check for stalled clients. */
  close(): void {
    clearInterval(this.#timer);
  }

  #wait(response: ServerResponse): void {
    this.#waiting.set(response, performance.now());
    response.once("close", () => this.#waiting.delete(response));
  }

  #dropStalled(): void {
    const limit = performance.now() - this.#stalledMs;
    for (const [response, movedAt] of this.#waiting) {
      if (movedAt < limit) response.destroy();
    }
  }
}

function headersOf({ headers }: Response): Record<string, string> {
  const fields: Record<string, string> = {};
  // Faster than iterating, by half.
  headers.forEach((value, name) => fields[name] = value);
  return fields;
}

/** Resolves when more may be written, or when the response has closed. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off("drain", settle);
      response.off("close", settle);
      resolve();
    };
    response.on("drain", settle);
    response.on("close", settle);
  });
}

/** Writes a stream part by part; cancels it when the client disconnects. */
async function pump(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  response: ServerResponse,
): Promise<void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  response.once("close", cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (!response.write(value)) await drained(response);
    }
    response.end();
  } catch {
    // The stream was truncated: the connection is aborted, so that the answer
    // does not seem complete.
    response.destroy();
  } finally {
    response.off("close", cancel);
  }
}
