// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of whole pictures over HTTP on a language model of 207 M
 * parameters: by precision, beside other software and the memory ceiling, the
 * breakdown of a token, and concurrency.
 *
 * ```sh
 * deno task bench:pictures             # ours alone
 * deno task bench:pictures FOLDER      # keeps the checkpoints for the next run
 * deno task bench:pictures FOLDER 2    # rounds; 4 when left out
 * PYTHON=/path/to/python deno task bench:pictures     # beside transformers
 * LLAMA=/path/to/node_modules PYTHON=… deno task bench:pictures  # and llama.cpp
 * ```
 *
 * Contenders alternate, and the fastest of some rounds counts. The last line is
 * one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { Runtime } from "../../lib/runtime/runtime.ts";
import { measureCeilings } from "./ceilings.ts";
import {
  type Contender,
  type Ours,
  startOurs,
  startPeers,
} from "./contenders.ts";
import { benchCrowd, type CrowdCosts } from "./crowd_bench.ts";
import { type Folders, prepareFolders } from "./folders.ts";
import { benchParts, type Parts, partsPerToken } from "./parts_bench.ts";
import {
  crowdTable,
  ms,
  partsTable,
  type Standing,
  standingsTable,
} from "./report.ts";

/** Side of a picture, in codes. */
const SIDE = 12;

const [kept, given = "4"] = Deno.args;
const rounds = Number(given);
const root = kept ?? await Deno.makeTempDir();
try {
  const folders = await prepareFolders(root);
  await using stack = new AsyncDisposableStack();
  const ours = await startOurs(folders, SIDE, stack);
  const peers = await startPeers(folders, SIDE, stack);
  const { standings, bytesPerSecond } = await compete(ours, peers);
  const parts = await measureParts(folders, ours, standings);
  const crowds = await measureCrowds(ours);
  console.log(
    `\n${JSON.stringify({ bytesPerSecond, standings, parts, crowds })}`,
  );
} finally {
  if (kept === undefined) await Deno.remove(root, { recursive: true });
}

/** Runs all contenders in turn, and measures the memory bandwidth. */
async function compete(
  ours: readonly Ours[],
  peers: readonly Contender[],
): Promise<{ standings: Standing[]; bytesPerSecond: number }> {
  const least = new Map<Contender, number>();
  let bytesPerSecond = 0;
  for (let round = 0; round < rounds; round++) {
    bytesPerSecond = Math.max(bytesPerSecond, await bandwidth());
    for (const contender of [...ours, ...peers]) {
      const seconds = await contender.measure();
      if (seconds === undefined) continue;
      console.error(`${contender.name}: ${ms(seconds)} a token`);
      least.set(contender, Math.min(seconds, least.get(contender) ?? Infinity));
    }
  }
  const standing = (contender: Contender): Standing[] => {
    const { name, bytesPerToken } = contender;
    const secondsPerToken = least.get(contender);
    if (secondsPerToken === undefined) return [];
    const shareOfCeiling = bytesPerToken / bytesPerSecond / secondsPerToken;
    return [{ name, secondsPerToken, shareOfCeiling }];
  };
  const rivals = peers.flatMap(standing);
  const standings = [...ours.flatMap(standing), ...rivals];
  const gigabytes = (bytesPerSecond / 1e9).toFixed(1);
  console.log(`\nGuided, ${SIDE} × ${SIDE}, over HTTP; ${gigabytes} GB/s`);
  console.log(standingsTable(standings, rivals));
  return { standings, bytesPerSecond };
}

async function bandwidth(): Promise<number> {
  const threads = navigator.hardwareConcurrency;
  await using runtime = new Runtime({ threads });
  return (await measureCeilings(runtime)).bytesPerSecond;
}

async function measureParts(
  folders: Folders,
  ours: readonly Ours[],
  standings: readonly Standing[],
): Promise<Record<string, Parts>> {
  const rows = [];
  for (const { name, precision } of ours) {
    const { secondsPerToken } = standings.find((other) => other.name === name)!;
    const parts = await benchParts(folders.language[precision]);
    rows.push({
      name,
      whole: secondsPerToken,
      parts: partsPerToken(parts, SIDE),
    });
  }
  console.log(partsTable(rows));
  return Object.fromEntries(rows.map(({ name, parts }) => [name, parts]));
}

async function measureCrowds(
  ours: readonly Ours[],
): Promise<Record<string, CrowdCosts>> {
  const rows: (CrowdCosts & { name: string })[] = [];
  for (const { name, server } of ours) {
    rows.push({ name, ...await benchCrowd(server.url, SIDE, rounds) });
  }
  console.log(crowdTable(rows));
  return Object.fromEntries(rows.map(({ name, ...costs }) => [name, costs]));
}
