import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import type { AppEnv } from "../../../functions/http/context.ts";
import { eventStream } from "../../../functions/http/sse.ts";
import { parseEvents } from "../../support/tiny_server.ts";
import type { WireEvent } from "../../../functions/http/call.ts";

/** Streams `events`; returns the outcome. */
async function stream(
  events: (signal: AbortSignal) => AsyncGenerator<WireEvent, void, undefined>,
  stalledMs: number,
) {
  const abandon = new AbortController();
  const ended = Promise.withResolvers<void>();
  const app = new Hono<AppEnv>().get("/", async (c) => {
    c.set("abandon", abandon);
    c.set("report", () => {});
    const answer = await eventStream(c, events(abandon.signal), { stalledMs });
    c.var.ended!.then(ended.resolve);
    return answer;
  });
  const answer = await app.request("/");
  return { answer, ended: ended.promise, signal: abandon.signal };
}

/** Yields events until it is canceled. */
async function* endless(
  signal: AbortSignal,
): AsyncGenerator<WireEvent, void, undefined> {
  for (let i = 0;; i++) {
    signal.throwIfAborted();
    yield await Promise.resolve({ event: "row", data: i });
  }
}

async function* few(): AsyncGenerator<WireEvent, void, undefined> {
  for (const data of [1, 2, 3]) {
    yield await Promise.resolve({ event: "row", data });
  }
}

Deno.test("eventStream() drops a stalled reader and ends the event source", async () => {
  const { answer, ended, signal } = await stream(endless, 5);
  await ended;
  ok(signal.aborted);
  strictEqual(signal.reason.name, "AbortError");
  await rejects(answer.text(), /the reader disconnected/);
});

Deno.test("eventStream() delivers all events in order", async () => {
  const { answer, ended, signal } = await stream(few, 10_000);
  const events = parseEvents(await answer.text());
  await ended;
  deepStrictEqual(events.map(({ data }) => data), [1, 2, 3]);
  ok(!signal.aborted);
});
