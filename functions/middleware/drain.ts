/**
 * What a server does that is to stop: it refuses what is new, answers whoever
 * asks how it is, and knows what is still under way.
 *
 * The listener stays open meanwhile. Balancers go on sending for seconds after
 * the signal; a refusal that says so is sent elsewhere, a connection that finds
 * nobody is an error.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/context.ts";
import { DrainingError } from "../http/errors/errors.ts";
import { doesWork } from "../shutdown/work.ts";

/** Something that is under way. */
export interface ResumableRequest {
  /** How long it still takes, in milliseconds; undefined where nobody can tell. */
  readonly remainingMs: () => number | undefined;
  /** Keeps where it stands, then ends it; the second time nothing. */
  readonly interrupt: () => void;
}

/** Whether a server is to stop, and what keeps it from doing so. */
export class Drain {
  readonly #works = new Set<ResumableRequest>();
  #draining = false;

  /** Whether what is new is refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** What is under way. */
  get works(): readonly ResumableRequest[] {
    return [...this.#works];
  }

  /** From now on what is new is refused. */
  begin(): void {
    this.#draining = true;
  }

  /** Notes that something is under way, until what is returned is called. */
  add(work: ResumableRequest): () => void {
    this.#works.add(work);
    return () => void this.#works.delete(work);
  }
}

/** Refuses what would have to be worked on; the rest is answered. */
export function refuseNewWork(drain: Drain): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { method, path } = c.req;
    if (drain.draining && doesWork(method, path)) throw new DrainingError();
    await next();
  };
}

/** Sends clients that keep their connection to look for another server. */
export function closeConnections(drain: Drain): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    if (drain.draining) c.res.headers.set("connection", "close");
  };
}
