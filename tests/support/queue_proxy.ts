/**
 * The emulator of Knative's queue proxy: when the pod terminates, it forwards
 * requests until none have arrived for a while, and only then signals the
 * container.
 *
 * @module
 */

import { delay } from "../../lib/async/delay.ts";

/** The proxy of a pod. */
export class QueueProxy implements AsyncDisposable {
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  #inside = 0;
  #lastAt = 0;

  /** Starts in front of `target`. */
  constructor(target: () => string) {
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        this.#inside++;
        this.#lastAt = performance.now();
        const { pathname, search } = new URL(request.url);
        try {
          const answer = await fetch(`${target()}${pathname}${search}`, {
            method: request.method,
            headers: request.headers,
            body: await request.bytes(),
          });
          return new Response(await answer.bytes(), answer);
        } finally {
          this.#inside--;
        }
      },
    );
  }

  /** URL that it listens on. */
  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** Resolves when no request is in flight and none has arrived for a while. */
  async drained(quietMs: number): Promise<void> {
    while (this.#inside > 0 || performance.now() - this.#lastAt < quietMs) {
      await delay(20);
    }
  }

  /** Closes the proxy. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }
}
