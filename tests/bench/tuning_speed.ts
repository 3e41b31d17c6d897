/**
 * The speed of tuning beside PyTorch and PEFT: tokens for each second of
 * processor time of one thread, so that other work on the machine does not
 * count.
 *
 *     PYTHON=venv/bin/python deno run -A tests/bench/tuning_speed.ts [checkpoint]
 *
 * Without `PYTHON` it measures what is here alone.
 *
 * @module
 */

import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { Optimizer } from "../../lib/tuning/optimizer.ts";
import { NO_LABEL, type TuningSequence } from "../../lib/tuning/sequence.ts";
import {
  defaultSettings,
  type TuningMethodName,
} from "../../lib/tuning/settings.ts";
import { TuningModel } from "../../lib/tuning/tuning_model.ts";

/** Tokens of a sequence: a caption, and a picture of 16 × 16 codes. */
const LENGTH = 290;

/** Tokens without a label, the caption's. */
const PROMPT = 18;

const BATCH = 4;
const STEPS = 3;

const mini = new URL("../../models/emu3-mini", import.meta.url).pathname;
const [folder = mini] = Deno.args;
const reference = new URL("../parity/tuning/speed.py", import.meta.url);

for (const method of ["lora", "full"] as const) {
  say(`${method}: ${Math.round(await tokensPerSecond(method))} here`);
  const python = Deno.env.get("PYTHON");
  if (python === undefined) continue;
  const { stdout } = await new Deno.Command(python, {
    args: [reference.pathname, folder, method, `${LENGTH}`, `${PROMPT}`],
    env: { OMP_NUM_THREADS: "1" },
    stderr: "null",
  }).output();
  say(`${method}: ${new TextDecoder().decode(stdout).trim()} PyTorch`);
}

/** Returns the tokens of a second in the last of a few steps. */
async function tokensPerSecond(name: TuningMethodName): Promise<number> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const settings = defaultSettings(name);
  await using runtime = new Runtime({ threads: 1 });
  await using model = await TuningModel.open(runtime, checkpoint, {
    method: settings.method,
    seed: 0,
    maxTokens: LENGTH,
    queryBlock: 128,
    lossChunk: 512,
    keeps: true,
    castsOnce: true,
    parallel: 1,
  });
  const { parameters } = model;
  await using optimizer = await Optimizer.open(runtime, parameters, settings);
  const sequence = sequenceOf(checkpoint.config.vocabularySize);
  let seconds = 0;
  for (let step = 1; step <= STEPS; step++) {
    const before = processorSeconds();
    const weight = 1 / (LENGTH - PROMPT) / BATCH;
    await model.accumulate(Array(BATCH).fill({ sequence, weight }));
    await optimizer.step(step, 1e-4, await optimizer.gradientNorm());
    seconds = processorSeconds() - before;
  }
  return BATCH * LENGTH / seconds;
}

function sequenceOf(vocabulary: number): TuningSequence {
  const tokens = Int32Array.from(
    { length: LENGTH },
    (_, i) => i * 7919 % vocabulary,
  );
  const labels = tokens.map((token, i) => i < PROMPT ? NO_LABEL : token);
  return { key: "speed", tokens, labels, replayed: false };
}

/** Returns the processor time of this process, which the system counts. */
function processorSeconds(): number {
  const [, rest = ""] = Deno.readTextFileSync("/proc/self/stat").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
