/**
 * The limit of unsent answers: bytes that are made and not yet taken, shared
 * fairly by callers.
 *
 * Whole answers stay in memory until their readers have taken them. A reader
 * that takes nothing for a minute counts as gone; until then what lies unsent is
 * counted, and more than the limit is refused.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import { FairShare } from "../lib/async/fair_share.ts";
import type { AppEnv } from "./context.ts";
import { pacedBody, PIECE_BYTES, piecesOfBytes } from "./paced_body.ts";
import { pause } from "./jobs/pause.ts";
import { UnreadAnswersError } from "./refusals.ts";
import { doesWork } from "./work.ts";

/** When a refused caller is told to come again: a stalled reader is gone then. */
const RETRY_SECONDS = 60;

/** How often a stream looks whether its next event is within the limit. */
const AGAIN_MS = 1000;

/** Counts bytes of answers until they are sent. */
export class UnsentAnswers {
  readonly #share: FairShare;

  /** @param maxBytes Bytes that one caller alone may leave unsent. */
  constructor(maxBytes: number) {
    this.#share = new FairShare(maxBytes);
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#share.held;
  }

  /**
   * Counts `bytes` for `caller` until what is returned is called; undefined
   * when that is over the limit.
   */
  tryHold(caller: string, bytes: number): (() => void) | undefined {
    if (!this.#share.take(caller, bytes)) return undefined;
    let held = true;
    return () => {
      if (held) this.#share.release(caller, bytes);
      held = false;
    };
  }
}

/**
 * Sends large whole answers of requests that do work as fast as they are taken,
 * and lets handlers count what they send themselves.
 */
export function paceAnswers(
  unsent: UnsentAnswers,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("tryHold", (bytes) => unsent.tryHold(c.get("caller"), bytes));
    await next();
    // The listener does the same for what is whole, with the place still held.
    if (c.env?.sent !== undefined) return;
    if (!doesWork(c.req.method, c.req.path)) return;
    if (c.get("ended") !== undefined || c.res.body === null) return;
    const { res } = c;
    const bytes = await res.bytes();
    // Not as an answer of a handler, whose headers would be merged again.
    c.res = undefined;
    if (bytes.length <= PIECE_BYTES) {
      c.res = new Response(bytes, res);
      return;
    }
    const release = hold(c, bytes.length);
    c.res = new Response(pacedAnswer(c, piecesOfBytes(bytes), release), res);
    c.res.headers.set("content-length", `${bytes.length}`);
  };
}

/**
 * Counts `bytes` as unsent until what is returned is called.
 *
 * @throws {UnreadAnswersError} When that is over the limit.
 */
export function hold(c: Context<AppEnv>, bytes: number): () => void {
  const release = c.get("tryHold")(bytes);
  if (release === undefined) throw new UnreadAnswersError(RETRY_SECONDS);
  return release;
}

/**
 * Counts `bytes` as unsent as soon as that is within the limit, or the client
 * leaves. What is small is not counted.
 */
export async function heldWhenFree(
  c: Context<AppEnv>,
  bytes: number,
): Promise<() => void> {
  if (bytes <= PIECE_BYTES) return () => {};
  const { signal } = c.get("call");
  for (;;) {
    const release = c.get("tryHold")(bytes);
    if (release !== undefined) return release;
    if (signal.aborted) return () => {};
    await pause(AGAIN_MS, signal);
  }
}

/** Returns a body of `pieces` that calls `release` once it has ended. */
export function pacedAnswer(
  c: Context<AppEnv>,
  pieces: Iterator<Uint8Array>,
  release: () => void,
): ReadableStream<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<void>();
  c.set("ended", promise);
  const onLeft = () =>
    c.get("abandon").abort(new DOMException("the reader left", "AbortError"));
  const onEnd = () => {
    release();
    resolve();
  };
  return pacedBody(pieces, { onLeft, onEnd });
}
