/**
 * A tuning run of the tiny checkpoint, in a process that tests kill.
 *
 *     deno run -A tests/support/tune_process.ts OUT
 *
 * @module
 */

import { parseArguments } from "../../deploy/tune/arguments.ts";
import { tune } from "../../deploy/tune/tune.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { tinyFolder } from "./tiny.ts";
import { memorySet, tinyRecords } from "./tuning_set.ts";

if (import.meta.main) {
  const [out = ""] = Deno.args;
  const options = "--steps 12 --batch 2 --warmup 2 --rank 4 --max-tokens 128";
  const words = `data --out ${out} ${options} --save-every 1 --keep 3`;
  await using runtime = new Runtime({ threads: 1 });
  await tune({ ...parseArguments(words.split(" ")), out }, {
    runtime,
    availableBytes: 2 ** 40,
    modelFolder: tinyFolder("emu3-tiny"),
    set: memorySet(tinyRecords(9)),
    terminal: false,
    write: (text) => void Deno.stdout.writeSync(new TextEncoder().encode(text)),
    now: () => performance.now(),
    stop: new AbortController().signal,
  });
}
