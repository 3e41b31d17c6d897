/**
 * The downloads from a faulty hub, in processes that are killed, and their
 * invariants.
 *
 * @module
 */

import { match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { searchLocal, SourceError } from "../../deploy/cache/locate.ts";
import { obtain } from "../../deploy/cache/obtain.ts";
import { parseSource } from "../../deploy/cache/source.ts";
import {
  type FaultSchedule,
  faultSchedule,
  randomOf,
} from "./fault_schedule.ts";
import {
  gitHashOf,
  type HubModel,
  type HubServer,
  hubServer,
  REPOSITORY,
  sha256Of,
} from "./hub_server.ts";
import { effortOf, type Outcome } from "./obtain_process.ts";
import { fastRetries, obtainOptions } from "./obtain_options.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { hubModel, wantedOf } from "./tiny_hub_model.ts";

/** The faults of a download. */
export interface FaultPlan {
  /** Seed of the faults. */
  readonly seed: number;
  /** Fraction of requests that fail, 0 to 1. */
  readonly rate: number;
  /** Faults instead of random ones; undefined for those of `seed` and `rate`. */
  readonly faults?: FaultSchedule;
  /** Times of kills, in milliseconds after the process's first report. */
  readonly kills: readonly number[];
  /** Bytes of a part: small, of some reports, or a whole file. */
  readonly partBytes: number;
}

/** Derives the fault plan from `seed`; every fourth process is killed. */
export function faultPlanOf(seed: number): FaultPlan {
  const random = randomOf(seed, 1_000);
  const kills = seed % 4 === 0 ? 1 + Math.floor(2 * random()) : 0;
  return {
    seed,
    rate: 0.6 * random(),
    partBytes: 2 ** (15 + 2 * (seed % 3)),
    kills: Array.from({ length: kills }, () => 150 * random() ** 2),
  };
}

const VERSIONS: readonly [HubModel, ...HubModel[]] = [
  hubModel(100),
  hubModel(200),
];

/**
 * Downloads under `plan` until a folder or an error results, and then
 * without faults. Throws if a partial file is visible, an error has no message,
 * or the final folder differs from the hub.
 *
 * @returns Outcome under the faults.
 */
export async function downloadUnder(plan: FaultPlan): Promise<Outcome> {
  using cache = temporaryFolder();
  let calm = false;
  const faults = plan.faults ?? faultSchedule(plan.seed, plan.rate);
  await using hub = hubServer({
    versions: VERSIONS,
    faults: (request, index) => calm ? undefined : faults(request, index),
  });
  for (const kill of plan.kills) {
    await obtainKilled(cache.path, hub, kill, plan);
    await requireComplete(cache.path);
  }
  const outcome = await obtainHere(cache.path, hub, plan);
  await requireComplete(cache.path);
  if ("error" in outcome) {
    strictEqual(outcome.name, "SourceError");
    match(
      outcome.error,
      /^Cannot find model "org\/tiny": looked in .*; Cannot (read|reach|list|use) /,
    );
  }
  calm = true;
  const last = await obtainHere(cache.path, hub, plan, 5_000);
  ok("folder" in last, "error" in last ? last.error : "");
  await isOneVersion(last.folder);
  await requireComplete(cache.path);
  return outcome;
}

/** Downloads in this process, which starts faster. */
async function obtainHere(
  cache: string,
  hub: HubServer,
  { partBytes }: FaultPlan,
  stallMs: number = fastRetries.retryPolicy.stallMs,
): Promise<Outcome> {
  try {
    const folder = await obtain(REPOSITORY, {
      ...obtainOptions(cache, hub.endpoint),
      transferOptions: effortOf({ partBytes, stallMs }),
    });
    return { folder };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { error: error.message, name: error.name };
  }
}

/** Downloads in a process that is killed some time after its start. */
async function obtainKilled(
  cache: string,
  hub: HubServer,
  afterMs: number,
  { partBytes }: FaultPlan,
): Promise<void> {
  const script = new URL("./obtain_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "-A", script, REPOSITORY, cache, hub.endpoint],
      JSON.stringify({ partBytes }),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  try {
    child.kill("SIGKILL");
  } catch {
    // The process ended before the kill.
  }
  while (!(await reader.read()).done);
  await child.status;
}

/** Checks that visible files are complete and that blobs match their names. */
async function requireComplete(cache: string): Promise<void> {
  const { found } = await searchLocal(parseSource(`hf://${REPOSITORY}`), {
    modelFolders: [],
    hubCaches: [cache],
  });
  if (found !== undefined) await isOneVersion(found.folder);
  const blobs = join(cache, "models--org--tiny", "blobs");
  for await (const { name } of entries(blobs)) {
    if (name.includes(".")) continue;
    const content = await Deno.readFile(join(blobs, name));
    const hash = name.length === 64 ? sha256Of(content) : gitHashOf(content);
    strictEqual(hash, name);
  }
  const snapshots = join(cache, "models--org--tiny", "snapshots");
  for await (const { name } of entries(snapshots)) {
    await isOneVersion(join(snapshots, name));
  }
}

async function isOneVersion(folder: string): Promise<void> {
  const version = VERSIONS.find(({ commit }) => folder.endsWith(commit));
  ok(version !== undefined, folder);
  for (const [path, content] of wantedOf(version)) {
    const there = await Deno.readFile(join(folder, path));
    strictEqual(sha256Of(there), sha256Of(content), path);
  }
}

async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    // The folder does not exist yet.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
