/**
 * The server as a worker of a queue, in processes of their own.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type EmulatorOptions,
  serveEmulator,
} from "../support/runpod/emulator.ts";
import { hasEnded, type RunpodJob } from "../support/runpod/queue.ts";
import { startServer } from "../support/server.ts";
import { TINY_FOLDERS } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

const tiny = {
  MODEL: TINY_FOLDERS.gen,
  THREADS: "1",
  RUNPOD_PING_INTERVAL: "50",
};

const options: EmulatorOptions = { pollMs: 1000, deadMs: 2000 };

/** Much to draw. */
const codes = {
  prompt: "a fox",
  height: 640,
  width: 640,
  strategy: "autoregressive",
  accept: "application/octet-stream",
};

// deno-lint-ignore no-explicit-any
function outputOf({ output }: RunpodJob): any {
  return output;
}

async function ended(job: RunpodJob): Promise<void> {
  await until(() => hasEnded(job));
}

Deno.test("a server in a queue answers its jobs, streams, stops, and hands back when told to stop", async () => {
  await using emulator = serveEmulator(options);
  const { queue, environment } = emulator;
  await using server = await startServer({
    ...tiny,
    ...environment("pod1"),
    // Those who call through the queue need neither key nor quota of ours.
    API_KEYS: "secret",
    RATE_LIMIT: "1/h",
    SHUTDOWN_GRACE_S: "0",
  });
  const small = { prompt: "a fox", height: 64, width: 64, seed: 3 };
  const drawn = queue.add(small);
  const streamed = queue.add({ ...small, stream: true });
  const refused = queue.add({ prompt: 7 });
  const listed = queue.add({ route: "/v1/models" });
  const unknown = queue.add({ route: "/v1/nothing" });
  for (const job of [drawn, streamed, refused, listed, unknown]) {
    await ended(job);
  }
  const [drawing, same, models] = [drawn, streamed, listed].map(outputOf);
  strictEqual(drawing.seed, 3);
  deepStrictEqual(drawing.images, same.images);
  const rows = streamed.parts
    .filter((part) => Object(part).event === "row")
    // deno-lint-ignore no-explicit-any
    .map((part: any) => part.data.codes);
  deepStrictEqual(rows, drawing.images[0].grid.codes);
  ok(models.data.length > 0);
  const codeOf = ({ error }: RunpodJob) => JSON.parse(error!).error.code;
  deepStrictEqual([refused.status, unknown.status], ["FAILED", "FAILED"]);
  strictEqual(codeOf(refused), "invalid-fields");
  strictEqual(codeOf(unknown), "not-found");
  const stopped = queue.add(codes);
  await until(() => stopped.output !== undefined);
  queue.cancel(stopped);
  // The only slots are free again, or the next would not be drawn.
  const next = queue.add(small);
  await ended(next);
  strictEqual(next.status, "COMPLETED");
  const unfinished = queue.add({ ...codes, seed: 1 });
  await until(() => unfinished.output !== undefined);
  server.process.kill("SIGTERM");
  await ended(unfinished);
  strictEqual((await server.process.status).code, 0);
  const { retryable, resume } = JSON.parse(unfinished.error!);
  ok(retryable && resume.body.prefix.codes.length > 0);
  strictEqual(queue.retried, 0);
});

Deno.test("a job whose server is killed is answered by the next", async () => {
  await using emulator = serveEmulator(options);
  const { queue, environment } = emulator;
  await using first = await startServer({ ...tiny, ...environment("pod1") });
  const job = queue.add({ ...codes, height: 320, width: 320 });
  await until(() => job.output !== undefined);
  first.process.kill("SIGKILL");
  await using _second = await startServer({ ...tiny, ...environment("pod2") });
  await ended(job);
  deepStrictEqual(
    [job.status, job.worker, job.takes, job.results],
    ["COMPLETED", "pod2", 2, 1],
  );
});
