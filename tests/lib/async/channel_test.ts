import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { channel } from "../../../lib/async/channel.ts";

const never = new AbortController().signal;

Deno.test("channel() yields events in order, whatever their timing", async () => {
  const waits = fc.array(fc.boolean(), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(waits, waits, async (pauses, rests) => {
      const events = channel<number>(async (emit) => {
        for (const [i, pause] of pauses.entries()) {
          if (pause) await Promise.resolve();
          emit(i);
        }
      }, never);
      const seen: number[] = [];
      for await (const event of events) {
        seen.push(event);
        if (rests[event]) await new Promise((done) => setTimeout(done));
      }
      deepStrictEqual(seen, [...pauses.keys()]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("channel() yields an event before the producer has ended", async () => {
  const end = Promise.withResolvers<void>();
  const events = channel<string>(async (emit) => {
    emit("first");
    await end.promise;
    emit("last");
  }, never);
  strictEqual((await events.next()).value, "first");
  end.resolve();
  strictEqual((await events.next()).value, "last");
  strictEqual((await events.next()).done, true);
});

Deno.test("channel() throws after the events before the failure", async () => {
  const failure = new Error("out of paper");
  const events = channel<number>(async (emit) => {
    emit(1);
    await Promise.resolve();
    emit(2);
    throw failure;
  }, never);
  deepStrictEqual([(await events.next()).value, (await events.next()).value], [
    1,
    2,
  ]);
  await rejects(events.next(), failure);
});

Deno.test("channel() aborts the producer when the consumer stops early", async () => {
  let given: AbortSignal | undefined;
  const stopped = Promise.withResolvers<void>();
  const events = channel<number>(async (emit, signal) => {
    given = signal;
    signal.addEventListener("abort", () => stopped.resolve());
    emit(1);
    emit(2);
    await stopped.promise;
    signal.throwIfAborted();
  }, never);
  for await (const event of events) {
    strictEqual(event, 1);
    strictEqual(given?.aborted, false);
    break;
  }
  await stopped.promise;
  strictEqual(given?.aborted, true);
});

Deno.test("channel() forwards the outer abort, and throws the producer's error", async () => {
  const outer = new AbortController();
  const events = channel<number>((emit, signal) => {
    emit(1);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }, outer.signal);
  strictEqual((await events.next()).value, 1);
  const reason = new Error("deadline");
  outer.abort(reason);
  await rejects(events.next(), reason);
});

Deno.test("channel() does not start the producer before the first read", async () => {
  let started = false;
  const events = channel<number>(() => {
    started = true;
    return Promise.resolve();
  }, never);
  await Promise.resolve();
  strictEqual(started, false);
  ok((await events.next()).done);
  strictEqual(started, true);
});
