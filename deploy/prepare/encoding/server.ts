/**
 * A server that encodes for preparation: with its own window of concurrent
 * requests, and pauses after refusals and failures.
 *
 * ```text
 * success           window + 1 for every window of answers
 * 429, 503          window / 2, pause for Retry-After
 * failure, timeout  pause, doubled each time
 * ```
 *
 * @module
 */

import { remedyOf } from "../../cache/net/http_answers.ts";
import { PreparationError } from "../preparation_error.ts";
import { RecordError } from "../readers/source.ts";

/** Options of requests to servers. */
export interface ServerOptions {
  /** API key; undefined for none. */
  readonly apiKey: string | undefined;
  /** Clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Timeout of a request in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds of the first pause after a failure. */
  readonly restMs: number;
}

/** Options that suit pictures of the published size on a CPU. */
export const SERVER_OPTIONS = { timeoutMs: 600_000, restMs: 1000 } as const;

/** Outcome of a request that failed for a reason other than its record. */
export type Unanswered = "busy" | "failed";

/** Requests that a new server is given at once. */
const FIRST_WINDOW = 2;

/** The most requests that a server is given at once. */
const MAX_WINDOW = 64;

/** Milliseconds of a pause without Retry-After, and of the longest pause. */
const BUSY_MS = 2000;
const MAX_REST_MS = 60_000;

/** Failures in a row after which a server counts as dead. */
const MAX_FAILURES = 5;

/** One server. */
export class EncodingServer {
  readonly #options: ServerOptions;
  #window = FIRST_WINDOW;
  #running = 0;
  #answers = 0;
  #failures = 0;
  #reason = "it received no request";
  #restsUntil = 0;
  /** Address of the server, without a slash at its end. */
  readonly url: string;

  /**
   * Creates the server; nothing is sent yet.
   *
   * @throws {PreparationError} If the address is no HTTP URL.
   */
  constructor(address: string, options: ServerOptions) {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new PreparationError(
        `"${address}" is not the address of a server, expected one such as http://127.0.0.1:8080`,
      );
    }
    this.url = url.href.replace(/\/$/, "");
    this.#options = options;
  }

  /** Maximum number of concurrent requests. */
  get window(): number {
    return this.#window;
  }

  /**
   * Milliseconds until it takes a request; infinite while its window is full.
   */
  get waitMs(): number {
    if (this.#running >= this.#window) return Infinity;
    return Math.max(0, this.#restsUntil - this.#options.now());
  }

  /** Reason that it counts as dead; undefined while it is alive. */
  get dead(): string | undefined {
    return this.#failures >= MAX_FAILURES ? this.#reason : undefined;
  }

  /**
   * Sends a request. Returns its successful answer, or the reason to try again,
   * here or elsewhere.
   *
   * @throws {RecordError} If the server refuses the record.
   * @throws {PreparationError} If it refuses the caller.
   */
  async request(
    path: string,
    init: RequestInit,
    signal: AbortSignal,
  ): Promise<Response | Unanswered> {
    this.#running++;
    try {
      return await this.#send(path, init, signal);
    } finally {
      this.#running--;
    }
  }

  async #send(
    path: string,
    init: RequestInit,
    signal: AbortSignal,
  ): Promise<Response | Unanswered> {
    const { apiKey, timeoutMs, now } = this.#options;
    const headers = new Headers(init.headers);
    if (apiKey !== undefined) headers.set("authorization", `Bearer ${apiKey}`);
    let answer: Response;
    try {
      const late = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${this.url}${path}`, {
        ...init,
        headers,
        signal: AbortSignal.any([signal, late]),
      });
      // Read at once: a connection may break within the body, too.
      answer = new Response(await response.bytes(), response);
    } catch (error) {
      signal.throwIfAborted();
      return this.#failed(error instanceof Error ? error.message : `${error}`);
    }
    if (answer.ok) return this.#answered(answer);
    const reason = await reasonOf(answer);
    const remedy = remedyOf(answer, now());
    if (remedy.type !== "retry") {
      throw refusal(answer.status, `${this.url}: ${reason}`);
    }
    if (answer.status !== 503 && answer.status !== 429) {
      return this.#failed(reason);
    }
    this.#window = Math.max(1, this.#window >> 1);
    this.#restsUntil = now() + (remedy.retryAfterMs ?? BUSY_MS);
    return "busy";
  }

  #answered(answer: Response): Response {
    this.#failures = 0;
    if (++this.#answers % this.#window === 0) {
      this.#window = Math.min(MAX_WINDOW, this.#window + 1);
    }
    return answer;
  }

  #failed(reason: string): "failed" {
    const { now, restMs } = this.#options;
    // Requests that fail together count as one failure.
    if (now() >= this.#restsUntil) {
      const rest = Math.min(MAX_REST_MS, restMs * 2 ** this.#failures++);
      this.#restsUntil = now() + rest;
    }
    this.#window = 1;
    this.#reason = reason;
    return "failed";
  }
}

/** Returns the reason in a problem document, or the beginning of the answer. */
async function reasonOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return detail;
  } catch {
    // The answer does not come from Emu3.
  }
  return `it answered ${answer.status} ${text.slice(0, 200)}`.trimEnd();
}

/** Statuses that are about the record, not about caller or server. */
const OF_RECORD = [400, 413, 415, 422];

function refusal(status: number, reason: string): Error {
  if (OF_RECORD.includes(status)) return new RecordError(reason);
  const remedy = status === 401 || status === 403
    ? "; set EMU3_API_KEY to one of its keys"
    : "";
  return new PreparationError(`${reason}${remedy}`);
}
