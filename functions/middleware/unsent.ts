/**
 * The limit of unsent answers: bytes that are made and not yet read, shared
 * fairly by callers.
 *
 * Answers stay in memory until their readers have read them. A reader that
 * reads nothing for a minute counts as disconnected; until then its unsent
 * bytes are counted, and more than the limit is refused.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import { FairShare } from "../../lib/async/fair_share.ts";
import type { AppEnv } from "../http/context.ts";
import {
  pacedBody,
  PIECE_BYTES,
  type Pieces,
  readerLeft,
} from "../http/connection/paced_body.ts";
import { delay } from "../../lib/async/delay.ts";
import { UnreadAnswersError } from "../http/errors/errors.ts";

/**
 * The Retry-After seconds of a refused caller: by then a stalled reader is
 * disconnected.
 */
const RETRY_SECONDS = 60;

/**
 * The interval of the check for room for a stream's next event, in
 * milliseconds.
 */
const AGAIN_MS = 1000;

/** A counter of answer bytes until they are sent. */
export class UnsentAnswers {
  readonly #share: FairShare;

  /**
   * Creates the counter.
   *
   * @param maxBytes Maximum unsent bytes of one caller.
   */
  constructor(maxBytes: number) {
    this.#share = new FairShare(maxBytes);
  }

  /** Number of unsent bytes. */
  get bytes(): number {
    return this.#share.held;
  }

  /**
   * Counts `bytes` for `caller` until the returned function is called; returns
   * undefined if that exceeds the limit.
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
 * Returns middleware that lets handlers count bytes that they send piece by
 * piece. The listener counts whole answers
 * (`http/connection/answer_sender.ts`).
 */
export function countUnsent(
  unsent: UnsentAnswers,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("tryHold", (bytes) => unsent.tryHold(c.get("caller"), bytes));
    await next();
  };
}

/**
 * Counts `bytes` as unsent until the returned function is called.
 *
 * @throws {UnreadAnswersError} If that exceeds the limit.
 */
export function hold(c: Context<AppEnv>, bytes: number): () => void {
  const release = c.get("tryHold")(bytes);
  if (release === undefined) throw new UnreadAnswersError(RETRY_SECONDS);
  return release;
}

/**
 * Counts `bytes` as unsent as soon as that is within the limit, or the client
 * leaves. Small answers are not counted.
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
    await delay(AGAIN_MS, signal);
  }
}

/** Returns a body of `pieces` that calls `release` once it has ended. */
export function pacedAnswer(
  c: Context<AppEnv>,
  pieces: Pieces,
  release: () => void,
): ReadableStream<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<void>();
  c.set("ended", promise);
  const onLeft = () => c.get("abandon").abort(readerLeft());
  const onEnd = () => {
    release();
    resolve();
  };
  return pacedBody(pieces, { onLeft, onEnd });
}
