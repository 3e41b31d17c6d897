/**
 * The `fetch` for downloads: ranges use pooled HTTP/1.1 connections, which cost
 * less; all other requests use `fetch` itself.
 *
 * Over TLS, as from every hub and store, `fetch` takes 17 % more processor time
 * for a download and is 14 % slower where processors are the limit; without TLS
 * the two are equal (`tests/bench/RESULTS.md`, Downloads).
 *
 * ```text
 * a range, no proxy, a plain response   http_connection.ts
 * a failed connection or response       fetch, as a retry
 * all others                            fetch
 * ```
 *
 * @module
 */

import { bodyOf, HttpConnection } from "./http_connection.ts";
import type { Fetch } from "./remote.ts";

/**
 * Names of the variables of proxies that `fetch` reads; if one is set, `fetch`
 * does everything.
 */
export const PROXY_VARIABLES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
] as const;

/** A pool of connections that stay open between requests. */
export class RangeConnections implements Disposable {
  // Ranges over one HTTP/2 connection would share its window.
  readonly #client = Deno.createHttpClient({ http2: false });
  readonly #proxied: boolean;
  readonly #open = new Set<HttpConnection>();
  /** Connections that wait for another request, by origin. */
  readonly #idle = new Map<string, HttpConnection[]>();
  /** Origins whose responses are not plain. */
  readonly #odd = new Set<string>();

  /** Creates an empty pool; `variables` may name a proxy. */
  constructor(variables: { get(name: string): string | undefined }) {
    this.#proxied = PROXY_VARIABLES.some((name) =>
      (variables.get(name) ?? "") !== ""
    );
  }

  /** Sends a request as `fetch` does. */
  readonly fetch: Fetch = async (url, init) => {
    const answer = this.#isOurs(url, init)
      ? await this.#requestRange(url, init)
      : undefined;
    return answer ?? await fetch(url, { ...init, client: this.#client });
  };

  /** Closes all connections, and aborts pending reads. */
  [Symbol.dispose](): void {
    for (const connection of this.#open) connection.close();
    this.#open.clear();
    this.#idle.clear();
    this.#client.close();
  }

  #isOurs(url: URL, { method = "GET", headers, body }: RequestInit): boolean {
    return !this.#proxied && method === "GET" && (body ?? null) === null &&
      /^https?:$/.test(url.protocol) && url.username === "" &&
      !this.#odd.has(url.origin) && new Headers(headers).has("range");
  }

  /** Returns the response; undefined when `fetch` must send the request. */
  async #requestRange(
    url: URL,
    init: RequestInit,
  ): Promise<Response | undefined> {
    const signal = init.signal ?? undefined;
    for (;;) {
      signal?.throwIfAborted();
      const kept = this.#idle.get(url.origin)?.pop();
      const connection = kept ?? await this.#connect(url, signal);
      if (connection === undefined) return undefined;
      const stop = () => this.#end(connection);
      signal?.addEventListener("abort", stop, { once: true });
      const done = (stays: boolean) => {
        signal?.removeEventListener("abort", stop);
        if (stays) this.#keep(url.origin, connection);
        else this.#end(connection);
      };
      try {
        return await this.#answer(connection, url, init, done);
      } catch (error) {
        done(false);
        signal?.throwIfAborted();
        // Servers close connections that were idle for long.
        if (kept === undefined) throw error;
      }
    }
  }

  async #answer(
    connection: HttpConnection,
    url: URL,
    { headers, redirect }: RequestInit,
    done: (stays: boolean) => void,
  ): Promise<Response | undefined> {
    const head = await connection.request(url, rangeHeaders(headers));
    const follows = redirect !== "manual" && (head?.status ?? 0) >= 300 &&
      head!.status < 400;
    if (head === undefined || follows) {
      this.#odd.add(url.origin);
      done(false);
      return undefined;
    }
    const { status, length, stays } = head;
    if (length === 0) done(stays);
    const body = length === 0
      ? null
      : bodyOf(connection, length, (whole) => done(whole && stays));
    return new Response(body, { status, headers: head.headers });
  }

  async #connect(
    url: URL,
    signal: AbortSignal | undefined,
  ): Promise<HttpConnection | undefined> {
    try {
      const connection = await HttpConnection.open(url, signal);
      this.#open.add(connection);
      return connection;
    } catch {
      signal?.throwIfAborted();
      // fetch reports the same for an unreachable server, with its own message.
      return undefined;
    }
  }

  #keep(origin: string, connection: HttpConnection): void {
    const idle = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, [...idle, connection]);
  }

  #end(connection: HttpConnection): void {
    connection.close();
    this.#open.delete(connection);
  }
}

/** Returns the headers to send: a compressed body has no ranges. */
function rangeHeaders(given: HeadersInit | undefined): Headers {
  const headers = new Headers(given);
  for (
    const [name, value] of [["accept", "*/*"], ["accept-encoding", "identity"]]
  ) {
    if (!headers.has(name!)) headers.set(name!, value!);
  }
  return headers;
}
