/** The jobs with an adapter that a restart of the server interrupts. */

import {
  deepStrictEqual,
  notDeepStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { goldenPath } from "../../support/golden.ts";
import { JobClient } from "../../support/job_client.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import {
  json,
  openTinyServer,
  type TinyServer,
} from "../../support/tiny_server.ts";

const ADAPTERS = new Map([
  ["headed", goldenPath("adapters/headed")],
  ["mine", goldenPath("adapters/plain")],
]);

const ROWS = 24;

const PICTURE = {
  ...{ prompt: "a fox", height: 8 * ROWS, width: 64, seed: 5 },
  strategy: "autoregressive",
};

/** The ways in which a request names an adapter. */
const CHOICES = [{ adapter: "mine" }, { model: "emu3-tiny:mine" }];

function clientOf({ app }: TinyServer): JobClient {
  return new JobClient((path, init) => app.request(path, init));
}

async function openWith(
  adapters: ReadonlyMap<string, string>,
  path: string,
): Promise<TinyServer> {
  return await openTinyServer({ adapters }, {}, { path });
}

/**
 * Submits a job for each choice, and stops the server amid the first, while the
 * second waits.
 */
async function stopped(path: string): Promise<readonly string[]> {
  await using server = await openWith(ADAPTERS, path);
  const client = clientOf(server);
  const ids: string[] = [];
  for (const choice of CHOICES) {
    const headers = { prefer: "respond-async" };
    const body = json({ ...PICTURE, ...choice }, headers);
    const response = await client.send("/v1/generate", body);
    strictEqual(response.status, 202);
    ids.push((await response.json()).id);
  }
  const { signal } = new AbortController();
  let rows = 0;
  for await (const { event } of server.jobs.runner.events(ids[0]!, 0, signal)) {
    if (event === "row" && ++rows === 2) break;
  }
  return ids;
}

/** Resumes the jobs that were interrupted; the others wait or run. */
async function resume(
  client: JobClient,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    const { status, progress } = await client.get(id);
    if (id !== ids[0] && status !== "interrupted") continue;
    ok(progress.done < ROWS, `${progress.done} rows`);
    strictEqual((await client.resume(id)).status, 202);
  }
}

/** Returns the codes that the server draws at once. */
async function drawn(client: JobClient, choice: object): Promise<number[][]> {
  const body = json({ ...PICTURE, ...choice });
  const answer = await (await client.send("/v1/generate", body)).json();
  return answer.images[0].grid.codes;
}

Deno.test("Jobs resumes and runs jobs after a restart with the adapter that they name", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const ids = await stopped(path);
  // The adapter has another index among those of the next server.
  const others = new Map([...ADAPTERS].reverse());
  await using server = await openWith(others, path);
  const client = clientOf(server);
  await resume(client, ids);
  const expected = await drawn(client, CHOICES[0]!);
  notDeepStrictEqual(expected, await drawn(client, {}));
  for (const id of ids) {
    const { result } = await client.ended(id);
    strictEqual(result.model, "emu3-tiny:mine");
    deepStrictEqual(result.images[0].grid.codes, expected);
  }
});

Deno.test("Jobs ends jobs whose adapter is gone, and names those that there are", async () => {
  const headed = new Map([["headed", ADAPTERS.get("headed")!]]);
  const cases = [
    [new Map<string, string>(), "no adapters are loaded"],
    [headed, 'loaded adapters are "headed"'],
  ] as const;
  for (const [adapters, known] of cases) {
    using folder = temporaryFolder();
    const path = join(folder.path, "jobs.sqlite");
    const ids = await stopped(path);
    await using server = await openWith(adapters, path);
    const client = clientOf(server);
    await resume(client, ids);
    for (const id of ids) {
      const { status, error, resumable } = await client.ended(id);
      deepStrictEqual([status, resumable], ["failed", false]);
      strictEqual(error.type, "/problems/unknown-adapter");
      strictEqual(error.detail, `Cannot find adapter "mine": ${known}`);
    }
    deepStrictEqual(server.trace.failures, []);
  }
});
