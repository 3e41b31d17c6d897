/**
 * The drawings at a server that recipes call.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { JobClient, type ToldJob } from "../../support/job_client.ts";
import { delay } from "../../../lib/async/delay.ts";
import type { RecipeRun } from "./recipe_files.ts";

/** Returns the jobs of the server at `url`, the latest first. */
export async function drawings(url: string): Promise<ToldJob[]> {
  const client = new JobClient((path, init) => fetch(`${url}${path}`, init));
  return await client.list();
}

/**
 * Gives the server work beside a drawing, which then takes seconds; returns the
 * number of its jobs.
 */
export async function keepBusy(url: string): Promise<number> {
  for (let i = 0; i < BUSY_JOBS; i++) {
    const answer = await fetch(`${url}/v1/generate`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "respond-async" },
      body: JSON.stringify({ prompt: "three apples", n: 8 }),
    });
    await answer.body?.cancel();
  }
  return BUSY_JOBS;
}

/** Number of jobs of eight pictures beside a drawing. */
const BUSY_JOBS = 2;

/**
 * Resolves once the latest drawing has a row, or has ended.
 *
 * @param others Number of jobs that were there before.
 * @throws If the program fails before.
 */
export async function inMidDrawing(
  url: string,
  { printed }: Pick<RecipeRun, "printed">,
  others = 0,
): Promise<void> {
  const ended = new AbortController();
  const failure = printed.finally(() => ended.abort());
  const drawing = async () => {
    while (!ended.signal.aborted) {
      const jobs = await drawings(url);
      if (jobs.length > others && jobs[0]!.progress.done >= 1) return;
      // A faster loop would take the time that the server draws in.
      await delay(200, ended.signal);
    }
  };
  await Promise.race([drawing(), failure]);
}

/** Fails unless the server has drawn one picture, as one job. */
export async function drewOnce(url: string): Promise<void> {
  const statuses = (await drawings(url)).map(({ status }) => status);
  deepStrictEqual(statuses, ["succeeded"]);
}
