import { ok } from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { startHeartbeat } from "../../../deploy/runpod/heartbeat.ts";

const COUNTER = new URL(
  "../../support/runpod/ping_counter.ts",
  import.meta.url,
);

Deno.test("startHeartbeat() sends pings while the main thread is blocked", async () => {
  const memory = new SharedArrayBuffer(4);
  const counter = new Int32Array(memory);
  const thread = new Worker(COUNTER, { workerData: memory });
  const { promise, resolve } = Promise.withResolvers<number>();
  thread.once("message", resolve);
  const url = `http://127.0.0.1:${await promise}/ping`;
  const place = { url, everyMs: 5, key: "key", program: "test" };
  await using heartbeat = startHeartbeat(place);
  heartbeat.send(["a", "b"]);
  // From here on this thread sleeps until others wake it.
  for (let seen = 0; seen < 5;) {
    const woken = Atomics.wait(counter, 0, seen, 60_000);
    ok(woken !== "timed-out", `${seen} signs of life came`);
    seen = Atomics.load(counter, 0);
  }
  await thread.terminate();
});
