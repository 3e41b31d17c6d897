/**
 * The client of chains at Restate's ingress: each call is repeated until it has
 * an answer, so that a killed process only delays it.
 *
 * @module
 */

import { delay } from "../../../lib/async/delay.ts";

/** The end of a chain. */
export type ChainEnd =
  /** Output. */
  | { readonly type: "output"; readonly output: unknown }
  /** Error, with its status. */
  | {
    readonly type: "error";
    readonly code: number;
    readonly message: string;
  };

/** A chain by name and key. */
export interface ChainId {
  /** Name of the chain. */
  readonly chain: string;
  /** Key of the workflow. */
  readonly key: string;
}

const PAUSE_MS = 100;

/** Timeout of a chain in milliseconds, generous for a busy machine. */
const LIMIT_MS = 300_000;

/** The status of an output that is not there yet. */
const NOT_READY = 470;

/** A client of the ingress at `url`. */
export class Ingress {
  /** Creates the client; nothing is sent yet. */
  constructor(readonly url: string) {}

  /** Starts a chain; a repetition changes nothing. */
  async start({ chain, key }: ChainId, input: unknown): Promise<void> {
    const response = await this.#post(`/${chain}/${key}/run/send`, input);
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
  }

  /** Calls a handler of a chain, and returns its answer. */
  async call<T>(
    { chain, key }: ChainId,
    handler: string,
    input?: unknown,
  ): Promise<T> {
    const response = await this.#post(`/${chain}/${key}/${handler}`, input);
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  }

  /** Returns the end of a chain once there is one. */
  async end({ chain, key }: ChainId): Promise<ChainEnd> {
    const path = `/restate/workflow/${chain}/${key}/output`;
    const limit = performance.now() + LIMIT_MS;
    while (true) {
      const response = await this.#answer(path, { method: "GET" });
      if (response.ok) {
        return { type: "output", output: await response.json() };
      }
      if (response.status !== NOT_READY) {
        const { code, message } = await response.json();
        return { type: "error", code, message };
      }
      await response.body?.cancel();
      if (performance.now() > limit) {
        throw new Error(`${chain}/${key} has not ended`);
      }
      await delay(PAUSE_MS);
    }
  }

  #post(path: string, input: unknown): Promise<Response> {
    return this.#answer(path, {
      method: "POST",
      ...input !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input),
      },
    });
  }

  /** Sends a request until there is an answer other than "unavailable". */
  async #answer(path: string, init: RequestInit): Promise<Response> {
    const limit = performance.now() + LIMIT_MS;
    while (true) {
      try {
        const response = await fetch(`${this.url}${path}`, init);
        if (![502, 503, 504].includes(response.status)) return response;
        await response.body?.cancel();
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      if (performance.now() > limit) throw new Error(`${path} has no answer`);
      await delay(PAUSE_MS);
    }
  }
}
