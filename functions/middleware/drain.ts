/**
 * The drain of a server that is stopping: it refuses new work, still answers
 * health checks, and lists the requests in flight.
 *
 * The listener stays open meanwhile. Balancers continue to send for seconds
 * after the signal; they resend a request that is refused as draining, but
 * report a closed port as an error.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/context.ts";
import { DrainingError } from "../http/errors/errors.ts";
import { doesWork } from "../http/address/route_path.ts";

/** A request in flight that can be interrupted. */
export interface ResumableRequest {
  /** Returns the remaining milliseconds; undefined if they are unknown. */
  readonly remainingMs: () => number | undefined;
  /**
   * Stores the resume state, then ends the request; repeated calls do nothing.
   */
  readonly interrupt: () => void;
}

/** The drain state of a server, and its requests in flight. */
export class Drain {
  readonly #works = new Set<ResumableRequest>();
  #draining = false;

  /** True if new work is refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Requests in flight. */
  get works(): readonly ResumableRequest[] {
    return [...this.#works];
  }

  /** Begins to refuse new work. */
  begin(): void {
    this.#draining = true;
  }

  /** Records a request in flight until the returned function is called. */
  add(work: ResumableRequest): () => void {
    this.#works.add(work);
    return () => void this.#works.delete(work);
  }
}

/** Returns middleware that refuses requests that run a function. */
export function refuseNewWork(drain: Drain): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { method, path } = c.req;
    if (drain.draining && doesWork(method, path)) throw new DrainingError();
    await next();
  };
}

/**
 * Returns middleware that closes connections, so that clients use another
 * server.
 */
export function closeConnections(drain: Drain): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    if (drain.draining) c.res.headers.set("connection", "close");
  };
}
