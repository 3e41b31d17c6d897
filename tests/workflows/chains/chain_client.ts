/**
 * Requests to chains through Restate's ingress, as the server forwards them.
 *
 * @module
 */

import type { Grid } from "../../../deploy/workflows/schema/codes.ts";
import type { ChainStatus } from "../../../deploy/workflows/schema/status.ts";
import type { StartedChains } from "./restate_server.ts";

/** An answer of the ingress. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** JSON body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sends requests to one chain. */
export class ChainClient {
  readonly #path: string;

  /** Creates the client of the chain `chain` with the key `key`. */
  constructor({ ingress }: StartedChains, chain: string, key: string) {
    this.#path = `${ingress}/${chain}/${key}`;
  }

  /** Runs the chain, and returns its output or its error. */
  async run(input: unknown): Promise<Answer> {
    return await post(`${this.#path}/run`, input);
  }

  /** Starts the chain. */
  async start(input: unknown): Promise<void> {
    const { status, body } = await post(`${this.#path}/run/send`, input);
    if (status !== 202) throw new Error(JSON.stringify(body));
  }

  /** Waits for the end of the chain, and returns its output or its error. */
  async attach(): Promise<Answer> {
    const [, origin, rest] = /^(https?:\/\/[^/]+)(\/.*)$/.exec(this.#path)!;
    const response = await fetch(`${origin}/restate/workflow${rest}/attach`);
    return { status: response.status, body: await response.json() };
  }

  /** Returns the status of the chain. */
  async status(): Promise<ChainStatus | null> {
    const response = await fetch(`${this.#path}/status`, { method: "POST" });
    return await response.json();
  }

  /** Returns codes by name. */
  async grids(names: readonly string[]): Promise<Record<string, Grid>> {
    const { body } = await post(`${this.#path}/grids`, names);
    return body as Record<string, Grid>;
  }

  /** Cancels the chain. */
  async cancel(): Promise<void> {
    const response = await fetch(`${this.#path}/cancel`, { method: "POST" });
    await response.body?.cancel();
  }
}

async function post(url: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
