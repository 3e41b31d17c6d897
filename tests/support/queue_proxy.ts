/**
 * What Knative puts in front of a container: a proxy that, when the pod is to
 * end, sends on until nobody has come for a while, and only then lets the
 * container hear of it.
 *
 * @module
 */

import { pause } from "./kubelet.ts";

/** The proxy of a pod. */
export class QueueProxy implements AsyncDisposable {
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  #inside = 0;
  #lastAt = 0;

  /** Stands in front of `target`. */
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

  /** Where it listens. */
  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** Comes when nobody is inside, and nobody has come for so long. */
  async drained(quietMs: number): Promise<void> {
    while (this.#inside > 0 || performance.now() - this.#lastAt < quietMs) {
      await pause(20);
    }
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }
}
