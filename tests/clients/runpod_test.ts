/**
 * The compatibility test of RunPod's own JavaScript client, unmodified: through
 * a queue to a worker on the tiny checkpoints, over real sockets.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import runpodSdk from "runpod-sdk";
import { runpodWorker } from "../../functions/runpod/start.ts";
import { runpodPlace } from "../../functions/runpod/variables.ts";
import { CLIENT_KEY } from "../support/runpod/client_side.ts";
import { serveEmulator } from "../support/runpod/emulator.ts";
import { appOptions, json, openTinyServer } from "../support/tiny_server.ts";

const fox = { prompt: "a fox", height: 64, width: 64, seed: 3 };

/** Opens a queue with a worker, and the client. */
async function open() {
  const server = await openTinyServer();
  const emulator = serveEmulator({ pollMs: 1000 });
  const place = runpodPlace(
    {
      ...emulator.environment("pod1"),
      RUNPOD_PING_INTERVAL: 50,
    } as Parameters<typeof runpodPlace>[0],
  );
  const { options } = appOptions();
  const worker = runpodWorker(place, server.services, options, 4)!;
  worker.start();
  const sdk = runpodSdk(CLIENT_KEY, { baseUrl: emulator.base });
  return {
    server,
    emulator,
    endpoint: sdk.endpoint("emu3")!,
    [Symbol.asyncDispose]: async () => {
      await worker[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Status of a job, whose type in the client is incomplete. */
// deno-lint-ignore no-explicit-any
type Told = any;

Deno.test("runpod-sdk runs, streams, cancels and inspects jobs of a queue", async () => {
  await using queue = await open();
  const { endpoint } = queue;
  const native = await queue.server.app.request("/v1/generate", json(fox));
  const { images } = await native.json();

  const sync: Told = await endpoint.runSync({ input: fox }, 60_000);
  ok(sync.succeeded);
  deepStrictEqual(sync.output.images, images);

  const { id } = await endpoint.run({ input: { ...fox, stream: true } });
  const events: string[] = [];
  for await (const part of endpoint.stream(id) as AsyncGenerator<Told>) {
    events.push(part.output.event);
  }
  strictEqual(events.filter((event) => event === "row").length, 8);
  strictEqual(events.at(-1), "image");

  const large = { ...fox, height: 640, width: 640 };
  const asked: Told = await endpoint.run({ input: large });
  await endpoint.cancel(asked.id);
  const canceled: Told = await endpoint.status(asked.id);
  strictEqual(canceled.status, "CANCELLED");

  const wrong: Told = await endpoint.runSync({ input: { prompt: 7 } }, 60_000);
  strictEqual(wrong.status, "FAILED");
  strictEqual(JSON.parse(wrong.error).error.code, "invalid-fields");

  const { jobs } = await endpoint.health();
  deepStrictEqual([jobs.completed, jobs.failed], [2, 1]);
});
