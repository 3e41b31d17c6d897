/**
 * Runs of `prepare-data` that are killed at random, and the set that they make.
 *
 * @module
 */

import { join } from "node:path";
import { openPrepared } from "../../deploy/prepare/open_prepared.ts";
import type { OutputForm } from "../../deploy/prepare/data_formats.ts";
import { encodePng } from "../../lib/image/encode_png.ts";
import type { PreparedRecord } from "../../lib/tuning/records.ts";
import { type Ended, runPrepare, startPrepare } from "./prepare_process.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";
import { tinyFolder } from "./tiny.ts";

/** Writes a JSON array of `count` pictures, every tenth of them missing. */
export function writeInput(folder: TemporaryFolder, count: number): void {
  const rows = Array.from({ length: count }, (_, i) => {
    if (i % 10 !== 9) {
      const pixels = Uint8ClampedArray.from(
        { length: 3 * 32 * 40 },
        (_, j) => (i * 7 + (j >> 4) * 31) % 256,
      );
      const png = encodePng({ height: 32, width: 40, pixels }, {});
      folder.write(`${i}.png`, png);
    }
    // Names repeat, so keys depend on the order of the input.
    return { name: `n${i % 50}`, text: `text ${i}`, image: `${i}.png` };
  });
  folder.write("data.json", JSON.stringify(rows));
}

/** Returns the words of a run. */
function wordsOf(out: string, form: OutputForm): readonly string[] {
  return [
    ...["data.json", "--out", out, "--to", form, "--shard-size", "7"],
    ...["--model", tinyFolder("emu3-tiny"), "--resize", "smart"],
  ];
}

/** Runs the command to its end, perhaps with a limit on files. */
export async function finish(
  folder: string,
  out: string,
  form: OutputForm,
  limit?: { readonly fileKilobytes: number },
): Promise<Ended> {
  return await runPrepare(folder, wordsOf(out, form), {}, limit);
}

/**
 * Runs the command `kills` times, and kills it each time once its journal has
 * grown by a random number of bytes.
 *
 * @returns Number of runs that ended before they were killed.
 */
export async function runKilled(
  folder: string,
  out: string,
  { form, kills, most }: {
    readonly form: OutputForm;
    readonly kills: number;
    readonly most: number;
  },
): Promise<number> {
  const journal = join(folder, out, "journal.jsonl");
  const size = () => Deno.stat(journal).then(({ size }) => size, () => 0);
  let ended = 0;
  for (let i = 0; i < kills; i++) {
    const until = await size() + Math.floor(Math.random() * most);
    const process = startPrepare(folder, wordsOf(out, form));
    let running = true;
    const output = process.output().then((output) => {
      running = false;
      return output;
    });
    while (running && await size() <= until) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    const { code, stderr } = await output;
    if (code === 0) ended++;
    else if (code !== 137) throw new Error(new TextDecoder().decode(stderr));
  }
  return ended;
}

/** Returns all records of a set, and the lines of its errors. */
export async function contentOf(folder: string, out: string): Promise<{
  readonly records: readonly PreparedRecord[];
  readonly errors: string;
}> {
  await using set = await openPrepared(join(folder, out));
  const records: PreparedRecord[] = [];
  for (let i = 0; i < set.length; i++) records.push(await set.read(i));
  const errors = await Deno.readTextFile(join(folder, out, "errors.jsonl"));
  return { records, errors };
}
