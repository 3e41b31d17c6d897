/**
 * Server-sent events.
 *
 * The first event is awaited before an answer begins: what is refused at once
 * is refused with a status. Later errors are told in an `error` event.
 *
 * @module
 */

import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { type AppEnv, problemContext } from "./context.ts";
import { problemFrom } from "./problem.ts";

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

/** How long a reader may take nothing until it counts as one that has left. */
const STALLED_MS = 60_000;

/** What a stream may have beside its events. */
export interface StreamOptions {
  /** The last line's data, as it stands, when all went well. */
  readonly end?: string;
  /** How long a reader may take nothing until it counts as one that has left. */
  readonly stalledMs?: number;
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
  { end, stalledMs = STALLED_MS }: StreamOptions = {},
): Promise<Response> {
  const first = await events.next();
  return stream(c, async function* () {
    if (!first.done && first.value !== undefined) yield sent(first.value);
    for await (const event of events) {
      if (event !== undefined) yield sent(event);
    }
    if (end !== undefined) yield { event: "", data: end };
  }, stalledMs);
}

/**
 * Answers with events that are written down, each with its id. Begins at once:
 * the first may take its time.
 */
export function storedEvents(
  c: Context<AppEnv>,
  events: AsyncGenerator<StoredEvent, void, undefined>,
): Response {
  return stream(c, async function* () {
    for await (const { id, event, data } of events) {
      yield { id: `${id}`, event, data };
    }
  });
}

function stream(
  c: Context<AppEnv>,
  events: () => AsyncGenerator<SentEvent, void, undefined>,
  stalledMs = STALLED_MS,
): Response {
  const ended = Promise.withResolvers<void>();
  c.set("ended", ended.promise);
  const response = streamSSE(c, async (stream) => {
    stream.onAbort(() => c.var.abandon.abort(left()));
    // A reader that is behind needs no more to read.
    let sending = false;
    const send = async (event: SentEvent) => {
      sending = true;
      await sendEvent(stream, event, stalledMs);
      sending = false;
    };
    const timer = setInterval(() => {
      if (!sending) stream.write(": alive\n\n");
    }, COMMENT_MS);
    try {
      const told = untilAborted(events(), c.var.interrupted);
      for await (const event of told) await send(event);
    } catch (error) {
      await send(sent(errorEvent(c, error)));
    } finally {
      clearInterval(timer);
      ended.resolve();
    }
  });
  // Set by Hono, and wrong under HTTP/2.
  response.headers.delete("connection");
  response.headers.delete("transfer-encoding");
  // Keeps reverse proxies from holding events back.
  response.headers.set("x-accel-buffering", "no");
  return response;
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

function left(): DOMException {
  return new DOMException("the reader left", "AbortError");
}

function errorEvent(c: Context<AppEnv>, error: unknown): WireEvent {
  const data = problemFrom(error, problemContext(c));
  c.var.report(error);
  c.set("failed", true);
  return { event: "error", data };
}

function sent({ event, data }: WireEvent): SentEvent {
  return { event, data: JSON.stringify(data) };
}

/** Resolves when the reader has taken it, or is given up. */
async function sendEvent(
  stream: SSEStreamingApi,
  event: SentEvent,
  stalledMs: number,
): Promise<void> {
  const timer = setTimeout(() => stream.abort(), stalledMs);
  await stream.writeSSE(event).finally(() => clearTimeout(timer));
}
