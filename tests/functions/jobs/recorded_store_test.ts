/** The jobs stored by an earlier release, in a server of this one. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { JobClient } from "../../support/job_client.ts";
import { goldenBytes } from "../../support/pictures.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { openTinyServer } from "../../support/tiny_server.ts";

/** Jobs of the recorded store, newest first. */
const RECORDED = [
  ["queued", 0, false],
  ["interrupted", 19, true],
  ["succeeded", 4, false],
] as const;

/** Rows of codes that the events of a job hold. */
async function rowsOf(client: JobClient, id: string): Promise<number[][]> {
  const events = await client.events(id);
  return events.filter(({ event }) => event === "row")
    .map(({ data }) => JSON.parse(data).codes);
}

Deno.test("Jobs lists, answers, runs and resumes the jobs of an earlier release", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const stored = goldenBytes("jobs/version7.sqlite.gz");
  await Deno.writeFile(path, gunzipSync(stored));
  // Larger than the age of the recording.
  const ttlMs = 2 ** 45;
  await using server = await openTinyServer({}, {}, { path, ttlMs });
  const client = new JobClient((path, init) => server.app.request(path, init));
  const listed = await client.list();
  deepStrictEqual(
    listed.map(({ resumable }) => resumable),
    RECORDED.map(([, , resumable]) => resumable),
  );
  const [queued, interrupted, succeeded] = listed.map(({ id }) => id);

  const { result } = await client.get(succeeded!);
  strictEqual(result.images[0].grid.codes.length, RECORDED[2][1]);
  strictEqual((await client.ended(queued!)).status, "succeeded");

  const { progress } = await client.get(interrupted!);
  strictEqual(progress.done, RECORDED[1][1]);
  const before = await rowsOf(client, interrupted!);
  strictEqual((await client.resume(interrupted!)).status, 202);
  const resumed = await client.ended(interrupted!);
  deepStrictEqual([resumed.status, resumed.progress.done], ["succeeded", 22]);
  const { codes } = resumed.result.images[0].grid;
  deepStrictEqual(codes.slice(0, before.length), before);
  deepStrictEqual(await rowsOf(client, interrupted!), codes);
  const { forwards } = resumed.result.usage;
  ok(forwards < 22 * 64 / 2, `${forwards} forward passes`);
});
