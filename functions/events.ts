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
  /** Its kind. */
  readonly event: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** How often a comment line tells proxies that the stream is alive. */
const COMMENT_MS = 15_000;

/**
 * Answers with `events`. A reader that leaves aborts the request's signal.
 *
 * @throws What the first event throws.
 */
export async function eventStream(
  c: Context<AppEnv>,
  events: AsyncGenerator<WireEvent, void, undefined>,
): Promise<Response> {
  const first = await events.next();
  const ended = Promise.withResolvers<void>();
  c.set("ended", ended.promise);
  const response = streamSSE(c, async (stream) => {
    stream.onAbort(() => c.var.abandon.abort(left()));
    const timer = setInterval(() => stream.write(": alive\n\n"), COMMENT_MS);
    try {
      if (!first.done) await send(stream, first.value);
      for await (const event of events) await send(stream, event);
    } catch (error) {
      await send(stream, errorEvent(c, error));
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

function left(): DOMException {
  return new DOMException("the reader left", "AbortError");
}

function errorEvent(c: Context<AppEnv>, error: unknown): WireEvent {
  const data = problemFrom(error, problemContext(c));
  c.var.report(error);
  return { event: "error", data };
}

async function send(stream: SSEStreamingApi, event: WireEvent): Promise<void> {
  await stream.writeSSE({
    event: event.event,
    data: JSON.stringify(event.data),
  });
}
