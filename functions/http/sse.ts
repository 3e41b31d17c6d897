/**
 * Server-sent events.
 *
 * The first event is awaited before an answer begins: what is refused at once
 * is refused with a status. Later errors are told in an `error` event.
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

/** An event as it is sent. */
export interface WireEvent {
  /** Its kind; empty for clients that know only one. */
  readonly event: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** An event that is written down. */
export interface StoredEvent {
  /** Counted from 1, in order. */
  readonly id: number;
  /** Its kind. */
  readonly event: string;
  /** JSON. */
  readonly data: string;
}

/** How often a comment line tells proxies that the stream is alive. */
const COMMENT_MS = 15_000;

/** What a stream may have beside its events. */
export interface StreamOptions {
  /** The last line's data, as it stands, when all went well. */
  readonly end?: string;
  /** How long a reader may take nothing until it counts as one that has left. */
  readonly stalledMs?: number;
}

/** Options of the end of a stream. */
interface Ending {
  readonly stalledMs?: number | undefined;
  readonly onEnd?: () => void;
}

/** An event in the words of its stream. */
interface SentEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/**
 * Answers with `events`; undefined is progress that is not told. A reader
 * that leaves aborts the request's signal.
 *
 * @throws What the first event throws.
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
 * Answers with events that are written down, each with its id. Begins at once:
 * the first may take its time.
 *
 * @param onEnd Called when nobody reads any more.
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
    // Nobody would read it.
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

/** The text of a stream; an error is told as its last event. */
async function* piecesOf(
  c: Context<AppEnv>,
  events: AsyncGenerator<SentEvent, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const told = untilAborted(events, c.get("interrupted"));
    for await (const event of withPauses(told)) {
      yield* event === undefined ? [COMMENT] : eventPieces(event);
    }
  } catch (error) {
    yield* eventPieces(sent(errorEvent(c, error)));
  }
}

const COMMENT = new TextEncoder().encode(": alive\n\n");

/** An event as the standard spells it, a line of data after the other. */
function* eventPieces(
  { event, data, id }: SentEvent,
): Generator<Uint8Array, void, undefined> {
  // Long data is JSON or base64 and one line: it is only looked at once.
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

/** `events`, and undefined for every pause in which a comment is due. */
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
 * Returns the result that comes before a comment is due; undefined without one.
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
 * `events`, until `signal` aborts: then its reason is thrown, however long the
 * next event would take.
 */
async function* untilAborted<T>(
  events: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const { promise, reject } = Promise.withResolvers<never>();
  // Nobody may be waiting when it aborts.
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
    // Its run has been told to end; when it does is not waited for.
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
