/**
 * The tests of the server as a worker of a queue, in separate processes.
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

/** A long generation. */
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

Deno.test("A server in a queue completes jobs, streams, cancels, and hands jobs back on shutdown", async () => {
  await using emulator = serveEmulator(options);
  const { queue, environment } = emulator;
  await using server = await startServer({
    ...tiny,
    ...environment("pod1"),
    // Callers through the queue need neither our key nor our quota.
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
  // The only slots are free again; otherwise the next would wait.
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

Deno.test("A job of a killed server is completed by the next", async () => {
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
