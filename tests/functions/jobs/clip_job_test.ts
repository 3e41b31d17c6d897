/** The jobs that draw clips, also over a restart of the server. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { changedFolder } from "../../support/changed_folder.ts";
import { goldenPath } from "../../support/golden.ts";
import { JobClient } from "../../support/job_client.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import {
  json,
  openTinyServer,
  TINY_FOLDERS,
  type TinyServer,
} from "../../support/tiny_server.ts";

const FRAMES = 8;
const ROWS = 12;

const CLIP = {
  ...{ prompt: "a fox runs", height: 8 * ROWS, width: 128, frames: FRAMES },
  ...{ seed: 4, strategy: "autoregressive", "guidance_scale": 1 },
};

async function openWith(folder: string, path: string): Promise<TinyServer> {
  const vision = goldenPath("checkpoints/emu3-tiny-visiontokenizer");
  const folders = { ...TINY_FOLDERS, gen: folder, vision };
  return await openTinyServer({ folders }, {}, { path });
}

function clientOf({ app }: TinyServer): JobClient {
  return new JobClient((path, init) => app.request(path, init));
}

async function submitted(client: JobClient): Promise<string> {
  const headers = { prefer: "respond-async" };
  const response = await client.send("/v1/generate", json(CLIP, headers));
  strictEqual(response.status, 202);
  return (await response.json()).id;
}

/** Submits a clip, and stops the server amid its seventh frame, when its resume state is stored. */
async function stopped(folder: string, path: string): Promise<string> {
  await using server = await openWith(folder, path);
  const id = await submitted(clientOf(server));
  const { signal } = new AbortController();
  let rows = 0;
  for await (const { event } of server.jobs.runner.events(id, 0, signal)) {
    if (event === "row" && ++rows === 6 * ROWS + 3) break;
  }
  return id;
}

/** Returns the numbers of the stored events of a kind, in order. */
async function numbers(client: JobClient, id: string, kind: string) {
  const events = await client.events(id);
  return events.filter(({ event }) => event === kind)
    .map(({ data }) => JSON.parse(data))
    .map(({ frame, index }) => [frame, index]);
}

Deno.test("Jobs stores each row and each frame of a clip once, and the same clip, with a restart and without", async () => {
  using folder = changedFolder(goldenPath("checkpoints/emu3-tiny"), {
    "generation_config.json": JSON.stringify({ "video_format": "frames" }),
  });
  using store = temporaryFolder();
  const path = join(store.path, "jobs.sqlite");
  const interrupted = await stopped(folder.path, path);
  await using server = await openWith(folder.path, path);
  const client = clientOf(server);
  const before = await client.get(interrupted);
  ok(before.progress.done >= 6 * ROWS, `${before.progress.done} rows`);
  strictEqual((await client.resume(interrupted)).status, 202);
  const whole = await submitted(client);
  const results = [];
  for (const id of [interrupted, whole]) {
    const { result, progress } = await client.ended(id);
    deepStrictEqual(progress, { done: FRAMES * ROWS, total: FRAMES * ROWS });
    results.push(result.clips[0].clip.codes);
    deepStrictEqual(
      await numbers(client, id, "row"),
      Array.from(
        { length: FRAMES * ROWS },
        (_, row) => [Math.floor(row / ROWS), row % ROWS],
      ),
    );
    deepStrictEqual(
      await numbers(client, id, "frame"),
      Array.from({ length: FRAMES }, (_, frame) => [frame, undefined]),
    );
    strictEqual((await numbers(client, id, "clip")).length, 1);
  }
  deepStrictEqual(results[0], results[1]);
  deepStrictEqual(server.trace.failures, []);
});
