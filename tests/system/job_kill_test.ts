/**
 * The tests of a server killed amid its jobs, and of its successor on the same
 * store.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { checkSame } from "../support/check_same.ts";
import { JobClient, type ToldJob } from "../support/job_client.ts";
import { type Server, startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { json } from "../support/tiny_server.ts";

const SIZES = [
  { height: 64, width: 64 },
  { height: 96, width: 64 },
  { height: 64, width: 96 },
];

/**
 * Requests of every kind: small and large, generations and captions, alone and
 * in pairs.
 */
const REQUESTS = Array.from({ length: 20 }, (_, i) => ({
  prompt: `${i} apples`,
  seed: i,
  ...SIZES[i % 3],
  n: i % 5 === 4 ? 2 : 1,
  logprobs: i % 4 === 3 ? 2 : 0,
  ...(i % 2 === 1 && { strategy: "autoregressive" }),
}));

/** Returns a submission; every other one has a key. */
function submission(index: number): RequestInit {
  const headers: Record<string, string> = { prefer: "respond-async" };
  if (index % 2 === 0) headers["idempotency-key"] = `key-${index}`;
  return json(REQUESTS[index], headers);
}

function clientOf({ url }: Server): JobClient {
  return new JobClient((path, init) => fetch(`${url}${path}`, init));
}

async function submit(client: JobClient, index: number): Promise<string> {
  const response = await client.send("/v1/generate", submission(index));
  const { id } = await response.json();
  strictEqual(response.status, 202);
  strictEqual(response.headers.get("location"), `/v1/jobs/${id}`);
  return id;
}

/**
 * Runs jobs until one of several rows is well under way, then kills the server.
 */
async function killAmid(store: string): Promise<string[]> {
  await using server = await startServer({ STORE: store, THREADS: "2" });
  const client = clientOf(server);
  const ids: string[] = [];
  for (const i of REQUESTS.keys()) ids.push(await submit(client, i));
  // The smallest is done first; the others are then half done.
  await client.events(ids[0]!);
  server.process.kill("SIGKILL");
  await server.process.status;
  return ids;
}

async function checkEvents(
  client: JobClient,
  { id, progress }: ToldJob,
): Promise<void> {
  const events = await client.events(id);
  deepStrictEqual(
    events.map(({ id }) => id),
    Array.from(events, (_, i) => i + 1),
  );
  const rows = events.filter(({ event }) => event === "row")
    .map(({ data }) => JSON.parse(data))
    .map(({ image_index: image, index }) => `${image} ${index}`);
  strictEqual(new Set(rows).size, rows.length);
  strictEqual(rows.length, progress.total);
  strictEqual(progress.done, progress.total);
}

Deno.test("Jobs of a killed server are finished, queued or resumed by the next, without a difference", async () => {
  using folder = temporaryFolder();
  const store = join(folder.path, "jobs.sqlite");
  const ids = await killAmid(store);

  await using server = await startServer({ STORE: store, THREADS: "2" });
  const client = clientOf(server);
  const left = await Promise.all(ids.map((id) => client.get(id)));
  const interrupted = left.filter(({ status }) => status === "interrupted");
  for (const { status } of left) {
    match(status, /^(succeeded|interrupted|queued|running)$/);
  }
  strictEqual(left[0]?.status, "succeeded");
  ok(interrupted.some(({ progress }) => progress.done > 0));

  // A repeated request with a key gets the existing job.
  for (let i = 0; i < ids.length; i += 2) {
    strictEqual(await submit(client, i), ids[i]);
  }
  strictEqual((await client.list()).length, ids.length);

  for (const { id, resumable } of interrupted) {
    ok(resumable);
    strictEqual((await client.resume(id)).status, 202);
  }
  await Promise.all(ids.map(async (id, i) => {
    const job = await client.ended(id);
    strictEqual(job.status, "succeeded", id);
    await checkEvents(client, job);
    if (left[i]!.status !== "interrupted") return;
    const whole = await client.send("/v1/generate", json(REQUESTS[i]));
    const { seed, strategy, images } = await whole.json();
    const { result } = job;
    strictEqual(result.seed, seed);
    strictEqual(result.strategy, strategy);
    checkSame(result.images, images);
  }));
});
