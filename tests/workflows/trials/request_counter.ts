/**
 * The counter of requests: a proxy in front of a server of the endpoints, which
 * counts what the steps of chains send.
 *
 * @module
 */

/** A counted request. */
export interface CountedRequest {
  /** Method and path, with `:id` for a job. */
  readonly route: string;
  /** Status of its answer. */
  readonly status: number;
  /** Milliseconds until the head of its answer. */
  readonly ms: number;
}

/** A job in a path. */
const JOB = /\/job-[0-9a-f-]+/;

/** A proxy that counts requests. */
export class RequestCounter implements AsyncDisposable {
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  /** Requests so far, in the order of their answers. */
  readonly requests: CountedRequest[] = [];

  /** Starts in front of the server at `target()`. */
  constructor(target: () => string) {
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        const { method, headers, signal } = request;
        const body = method === "POST" ? await request.bytes() : null;
        const began = performance.now();
        let answer;
        try {
          const url = `${target()}${pathname}${search}`;
          answer = await fetch(url, { method, headers, body, signal });
        } catch {
          // The client has left, or the server is away.
          return new Response(null, { status: 502 });
        }
        this.requests.push({
          route: `${method} ${pathname.replace(JOB, "/:id")}`,
          status: answer.status,
          ms: performance.now() - began,
        });
        return new Response(answer.body, answer);
      },
    );
  }

  /** URL that it listens on. */
  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** Returns the number of requests by route and status. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { route, status } of this.requests) {
      const name = `${route} ${status}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }
}
