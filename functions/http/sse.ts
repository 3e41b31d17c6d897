/**
 * The server-sent events: streams of progress as HTTP answers.
 *
 * The first event is awaited before an answer begins, so that requests that
 * fail at once get an error status. Later errors are sent as an `error` event.
 *
 * @module
 */

import type { Context } from "hono";
import { type AppEnv, problemContext } from "./context.ts";
import {
  pacedBody,
  PIECE_BYTES,
  piecesOfText,
  readerLeft,
} from "./connection/paced_body.ts";
import { problemFrom } from "./errors/problem.ts";
import { heldWhenFree } from "../middleware/unsent.ts";
import type { WireEvent } from "./call.ts";

/** A stored event. */
export interface StoredEvent {
  /** Number of the event, counted from 1. */
  readonly id: number;
  /** Type of the event. */
  readonly event: string;
  /** Data of the event as JSON. */
  readonly data: string;
}

/** Interval of the comment lines that keep the stream alive in proxies. */
const COMMENT_MS = 15_000;

/** Options of a stream. */
export interface StreamOptions {
  /** Data of the last event of a successful stream, sent unchanged. */
  readonly end?: string;
  /**
   * Time without reading after which the reader counts as gone, in
   * milliseconds.
   */
  readonly stalledMs?: number;
}

/** Options of the end of a stream. */
interface Ending {
  readonly stalledMs?: number | undefined;
  readonly onEnd?: () => void;
}

/** An event in the format of its stream. */
interface SentEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/**
 * Answers with `events`; undefined is progress that is not sent. A reader that
 * disconnects aborts the request's signal.
 *
 * @throws {Error} The error of the first event.
 */
export async function eventStream(
  c: Context<AppEnv>,
  events: AsyncGenerator<WireEvent | undefined, void, undefined>,
  { end, stalledMs }: StreamOptions = {},
): Promise<Response> {
  const first = await events.next();
  return stream(c, async function* () {
    if (!first.done && first.value !== undefined) yield sent(first.value);
    for await (const event of events) {
      if (event !== undefined) yield sent(event);
    }
    if (end !== undefined) yield { event: "", data: end };
  }, { stalledMs });
}

/**
 * Answers with stored events, each with its id. Begins at once: the first event
 * may come late.
 *
 * @param onEnd Called when the stream is no longer read.
 */
export function storedEvents(
  c: Context<AppEnv>,
  events: AsyncGenerator<StoredEvent, void, undefined>,
  onEnd: () => void,
): Response {
  return stream(c, async function* () {
    for await (const { id, event, data } of events) {
      const release = await heldWhenFree(c, data.length);
      try {
        yield { id: `${id}`, event, data };
      } finally {
        release();
      }
    }
  }, { onEnd });
}

function stream(
  c: Context<AppEnv>,
  events: () => AsyncGenerator<SentEvent, void, undefined>,
  { stalledMs, onEnd }: Ending = {},
): Response {
  if (c.req.method === "HEAD") {
    // Its reader disconnected.
    onEnd?.();
    return c.body(null, 200, HEADERS);
  }
  const ended = Promise.withResolvers<void>();
  c.set("ended", ended.promise);
  const body = pacedBody(piecesOf(c, events()), {
    ...(stalledMs !== undefined && { stalledMs }),
    onLeft: () => c.get("abandon").abort(readerLeft()),
    onEnd: () => {
      onEnd?.();
      ended.resolve();
    },
  });
  return c.body(body, 200, HEADERS);
}

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  // Keeps reverse proxies from holding events back.
  "x-accel-buffering": "no",
};

/** Yields the text of a stream; an error is its last event. */
async function* piecesOf(
  c: Context<AppEnv>,
  events: AsyncGenerator<SentEvent, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const interruptible = untilAborted(events, c.get("interrupted"));
    for await (const event of withPauses(interruptible)) {
      yield* event === undefined ? [COMMENT] : eventPieces(event);
    }
  } catch (error) {
    yield* eventPieces(sent(errorEvent(c, error)));
  }
}

const COMMENT = new TextEncoder().encode(": alive\n\n");

/**
 * Yields an event in the standard's format, one line of data after the other.
 */
function* eventPieces(
  { event, data, id }: SentEvent,
): Generator<Uint8Array, void, undefined> {
  // Long data is JSON or base64 and one line: it is scanned once.
  const lines = /[\r\n]/.test(data)
    ? data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")
    : data;
  const head = `${event === "" ? "" : `event: ${event}\n`}data: `;
  const tail = `\n${id === undefined ? "" : `id: ${id}\n`}\n`;
  if (lines.length <= PIECE_BYTES) {
    yield* piecesOfText(head + lines + tail);
    return;
  }
  // Not joined: long data is shared by all who read the same event.
  yield* piecesOfText(head);
  yield* piecesOfText(lines);
  yield* piecesOfText(tail);
}

/** Yields `events`, and undefined for every pause in which a comment is due. */
async function* withPauses<T>(
  events: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T | undefined, void, undefined> {
  try {
    for (;;) {
      const next = events.next();
      for (;;) {
        const result = await withinPause(next);
        if (result === undefined) {
          yield undefined;
          continue;
        }
        if (result.done) return;
        yield result.value;
        break;
      }
    }
  } finally {
    await events.return();
  }
}

/**
 * Returns the result if it arrives before a comment is due; undefined
 * otherwise.
 */
async function withinPause<T>(next: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), COMMENT_MS);
  try {
    return await Promise.race([next, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Yields `events` until `signal` aborts: then its reason is thrown, without
 * waiting for the next event.
 */
async function* untilAborted<T>(
  events: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const { promise, reject } = Promise.withResolvers<never>();
  // It may abort while no event is awaited.
  promise.catch(() => undefined);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    for (;;) {
      const next = events.next();
      const { done, value } = await Promise.race([next, promise]);
      if (done) return;
      yield value!;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    // Its run is canceled, without awaiting its end.
    events.return().catch(() => undefined);
  }
}

function errorEvent(c: Context<AppEnv>, error: unknown): WireEvent {
  const data = problemFrom(error, problemContext(c));
  c.get("report")(error);
  c.set("failed", true);
  return { event: "error", data };
}

function sent({ event, data }: WireEvent): SentEvent {
  return { event, data: JSON.stringify(data) };
}
