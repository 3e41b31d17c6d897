/**
 * The tests of handed-back jobs: their output is an input that the next worker
 * resumes.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { runpodWorker } from "../../functions/runpod/start.ts";
import { serveEmulator } from "../support/runpod/emulator.ts";
import { hasEnded } from "../support/runpod/queue.ts";
import { runpodPlace } from "../../functions/runpod/variables.ts";
import { appOptions, openTinyServer } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

Deno.test("The input in a handed-back job draws the rest of its image", async () => {
  await using server = await openTinyServer();
  await using emulator = serveEmulator({ pollMs: 1000 });
  const open = (name: string) => {
    const place = runpodPlace(
      {
        ...emulator.environment(name),
        RUNPOD_PING_INTERVAL: 50,
      } as Parameters<typeof runpodPlace>[0],
    );
    const { options } = appOptions();
    const worker = runpodWorker(place, server.services, options, 4)!;
    worker.start();
    return worker;
  };
  const first = open("pod1");
  const job = emulator.queue.add({
    prompt: "a fox",
    height: 320,
    width: 320,
    strategy: "autoregressive",
  });
  await until(() => job.output !== undefined);
  await first[Symbol.asyncDispose]();
  strictEqual(job.status, "FAILED");
  const { resume, state } = JSON.parse(job.error!);
  const given = resume.body.prefix.codes;
  ok(given.length > 0 && given.length < 40, `${given.length} rows`);
  await using _second = open("pod2");
  const rest = emulator.queue.add(resume);
  await until(() => hasEnded(rest));
  strictEqual(rest.status, "COMPLETED", `${rest.error}`);
  // deno-lint-ignore no-explicit-any
  const { seed, images } = rest.output as any;
  strictEqual(seed, state.seed);
  const { height, codes } = images[0].grid;
  strictEqual(height, 40);
  deepStrictEqual(codes.slice(0, given.length), given);
});
