/**
 * The client of the endpoints that the steps of a chain call: one attempt, and
 * what its answer means for the next one.
 *
 * ```text
 * 2xx                        done
 * 429, 503, 409 (running)    wait      for Retry-After, then the same request
 * other 4xx, 501, and 503 of a model that failed
 *                            throws {@link RefusedError}: the chain ends
 * other 5xx, lost connection throws {@link UnansweredError}: retried with limits
 * ```
 *
 * @module
 */

import { readRetryAfter } from "../../cache/net/http_answers.ts";
import { RefusedError, UnansweredError } from "./emu3_errors.ts";

/** The server whose endpoints are called. */
export interface Emu3Server {
  /** Address, without a slash at its end. */
  readonly url: string;
  /** API key; undefined for none. */
  readonly apiKey: string | undefined;
}

/** A request of a step. */
export interface StepRequest {
  /** HTTP method, POST by default. */
  readonly method?: "GET" | "POST" | "DELETE";
  /** Path of the endpoint. */
  readonly path: string;
  /** JSON body; undefined for none. */
  readonly body?: unknown;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Key by which the server recognizes a repetition; undefined for none. */
  readonly idempotencyKey?: string;
}

/** A successful answer, or the seconds to wait before the same request. */
export type Attempt =
  | { readonly type: "done"; readonly response: Response }
  | { readonly type: "wait"; readonly seconds: number };

/** Seconds of a wait without Retry-After. */
const DEFAULT_WAIT_SECONDS = 2;

/** The longest wait that a server may ask for. */
const MAX_WAIT_SECONDS = 3600;

/** Sends requests to one server. */
export class Emu3Client {
  readonly #server: Emu3Server;

  /** Creates the client; nothing is sent yet. */
  constructor(server: Emu3Server) {
    this.#server = server;
  }

  /**
   * Sends a request, and returns its answer with an unread body.
   *
   * @throws {RefusedError} If the same request would be refused again.
   * @throws {UnansweredError} If the server failed or was not reached.
   */
  async send(request: StepRequest, signal: AbortSignal): Promise<Attempt> {
    const response = await this.#fetch(request, signal);
    if (response.ok) return { type: "done", response };
    const { status } = response;
    const problem = await problemOf(response);
    const { retryable } = problem;
    // A model that failed to load is not loaded again.
    if (status === 503 && retryable === false) {
      throw new RefusedError(status, problem);
    }
    if (
      status === 429 || status === 503 || (status === 409 && retryable === true)
    ) {
      const retryAfter = response.headers.get("retry-after");
      const waitMs = readRetryAfter(retryAfter, Date.now());
      const seconds = waitMs === undefined
        ? DEFAULT_WAIT_SECONDS
        : Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil(waitMs / 1000)));
      return { type: "wait", seconds };
    }
    if (status >= 500 && status !== 501) {
      throw new UnansweredError(`${request.path} answered ${status}`);
    }
    throw new RefusedError(status, problem);
  }

  async #fetch(request: StepRequest, signal: AbortSignal): Promise<Response> {
    const { method = "POST", path, body, idempotencyKey } = request;
    const { url, apiKey } = this.#server;
    const headers = new Headers(request.headers);
    if (apiKey !== undefined) headers.set("authorization", `Bearer ${apiKey}`);
    if (idempotencyKey !== undefined) {
      headers.set("idempotency-key", idempotencyKey);
    }
    if (body !== undefined) headers.set("content-type", "application/json");
    const content = body === undefined ? null : JSON.stringify(body);
    try {
      return await fetch(`${url}${path}`, {
        method,
        headers,
        body: content,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new UnansweredError(`${url} was not reached: ${error}`);
    }
  }
}

/**
 * Reads the body of an answer as JSON.
 *
 * @throws {UnansweredError} If the connection is lost within it.
 */
export async function readAnswer(
  response: Response,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  try {
    return await response.json();
  } catch (error) {
    signal.throwIfAborted();
    throw new UnansweredError(`the answer broke off: ${error}`);
  }
}

/** Returns the problem document of a refusal, or one made of its text. */
async function problemOf(
  response: Response,
): Promise<Record<string, unknown>> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text);
    if (typeof problem === "object" && problem !== null) return problem;
  } catch {
    // The answer does not come from Emu3.
  }
  const { status } = response;
  return { status, title: `HTTP ${status}`, detail: text.slice(0, 500) };
}
