/**
 * The pool of servers: each request goes to the server that is free first, and
 * to another one if that fails.
 *
 * @module
 */

import { delay } from "../../../lib/async/delay.ts";
import { PreparationError } from "../preparation_error.ts";
import { EncodingServer, type ServerOptions } from "./server.ts";

/** Milliseconds until servers are polled again while all are busy. */
const LOOK_MS = 20;

/** Servers of the same models. */
export class ServerPool {
  readonly #servers: readonly EncodingServer[];
  #next = 0;

  /**
   * Creates a pool; nothing is sent yet.
   *
   * @throws {PreparationError} If an address is no HTTP URL.
   */
  constructor(addresses: readonly string[], options: ServerOptions) {
    this.#servers = addresses.map((address) =>
      new EncodingServer(address, options)
    );
  }

  /** The servers. */
  get servers(): readonly EncodingServer[] {
    return this.#servers;
  }

  /** Number of requests that all servers take at once. */
  get capacity(): number {
    return this.#servers.reduce((sum, { window }) => sum + window, 0);
  }

  /**
   * Sends a request, and returns its successful answer.
   *
   * @throws {RecordError} If a server refuses the record.
   * @throws {PreparationError} If no server answers, or one refuses the caller.
   */
  async request(
    path: string,
    init: RequestInit,
    signal: AbortSignal,
  ): Promise<Response> {
    for (;;) {
      signal.throwIfAborted();
      const server = this.#free();
      if (server === undefined) {
        await delay(LOOK_MS, signal);
        continue;
      }
      const answer = await server.request(path, init, signal);
      if (answer instanceof Response) return answer;
    }
  }

  /** Returns a server that takes a request now; undefined if none does. */
  #free(): EncodingServer | undefined {
    const count = this.#servers.length;
    for (let i = 0; i < count; i++) {
      const at = (this.#next + i) % count;
      const server = this.#servers[at]!;
      if (server.waitMs > 0) continue;
      this.#next = at + 1;
      return server;
    }
    // A dead server pauses before it is tried again, so none is free.
    if (this.#servers.every(({ dead }) => dead !== undefined)) {
      throw new PreparationError(
        `no server answers; run it again once one does: ${
          this.#servers.map(({ url, dead }) => `${url}: ${dead}`).join("; ")
        }`,
        { transient: true },
      );
    }
    return undefined;
  }
}
