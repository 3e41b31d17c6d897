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
 * Resolves once the latest drawing has a row, or has ended.
 *
 * @throws If the program fails before.
 */
export async function inMidDrawing(
  url: string,
  { printed }: Pick<RecipeRun, "printed">,
): Promise<void> {
  const ended = new AbortController();
  const failure = printed.finally(() => ended.abort());
  const drawing = async () => {
    while (!ended.signal.aborted) {
      const [latest] = await drawings(url);
      if (latest !== undefined && latest.progress.done >= 1) return;
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
