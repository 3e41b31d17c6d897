// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of Emu3 on this machine, beside the machine's ceilings and, if
 * Python has it, beside transformers.
 *
 * ```sh
 * deno task bench                      # about two minutes on two cores
 * PYTHON=/path/to/python deno task bench   # with torch and transformers: peers too
 * ```
 *
 * The last line is one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { join } from "node:path";
import { CPU_PROVIDER } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { measureCeilings } from "./ceilings.ts";
import { benchLanguage, benchVision } from "./model_bench.ts";
import { MIDDLE_CODES, writeMiddle } from "./middle_checkpoint.ts";
import { askPeer } from "./peers.ts";
import { benchServer } from "./server_bench.ts";
import { type Row, table } from "./timing.ts";

const EMBEDDED = new URL("../../models/emu3-mini", import.meta.url).pathname;

/** Range of the embedded model's codes. */
const MINI_CODES = { firstCode: 4307, codebookSize: 2048 };

/** Side of the picture for the published vision tokenizer's shapes. */
const SIDE = 256;

const threads = navigator.hardwareConcurrency;
const folder = await Deno.makeTempDir();
try {
  const rows = [...await benchServer(), ...await benchModels(folder)];
  console.log(`\n${table(rows)}\n`);
  const peers = await benchPeers(folder, rows);
  console.log(JSON.stringify({
    machine: { cpus: threads, os: Deno.build.os, arch: Deno.build.arch },
    results: Object.fromEntries(
      [...rows, ...peers].map(({ name, seconds }) => [name, seconds]),
    ),
  }));
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function benchModels(folder: string): Promise<Row[]> {
  await using runtime = new Runtime({ threads, provider: CPU_PROVIDER });
  const ceilings = await measureCeilings(runtime);
  console.log(
    `${threads} threads: ${(ceilings.bytesPerSecond / 1e9).toFixed(1)} GB/s, ${
      (ceilings.flopsPerSecond / 1e9).toFixed(0)
    } GFLOP/s fp32`,
  );
  const [middle, vision] = ["middle", "vision"].map((name) =>
    join(folder, name)
  );
  await Deno.mkdir(middle!);
  await Deno.mkdir(vision!);
  await writeMiddle(middle!, "F32");
  return [
    ...await benchLanguage(
      runtime,
      "emu3-mini",
      await openLanguageCheckpoint(EMBEDDED),
      MINI_CODES,
      ceilings,
    ),
    ...await benchLanguage(
      runtime,
      "207 M decoder",
      await openLanguageCheckpoint(middle!),
      MIDDLE_CODES,
      ceilings,
    ),
    ...await benchVision(runtime, vision!, SIDE, ceilings),
  ];
}

/** Times transformers on the same shapes and prints a comparison. */
async function benchPeers(
  folder: string,
  ours: readonly Row[],
): Promise<Row[]> {
  const language = await askPeer(["language", join(folder, "middle")]);
  const vision = await askPeer(["vision", "--side", String(SIDE)]);
  if (language === undefined || vision === undefined) {
    console.log("No peers: PYTHON has no torch and transformers\n");
    return [];
  }
  const rivals: [string, number, string][] = [
    [
      "a guided token",
      language["seconds_per_token"]!,
      "207 M decoder: a guided token",
    ],
    ["encode", vision["encode_seconds"]!, `encode ${SIDE} × ${SIDE}`],
    ["decode", vision["decode_seconds"]!, `decode ${SIDE} × ${SIDE}`],
  ];
  return rivals.map(([name, seconds, our]) => {
    const { seconds: mine } = ours.find(({ name }) => name.endsWith(our))!;
    console.log(
      `transformers, ${name}: ${seconds.toFixed(3)} s, ${
        (seconds / mine).toFixed(1)
      } times ours`,
    );
    return { name: `transformers: ${name}`, seconds };
  });
}
