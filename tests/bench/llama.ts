// deno-lint-ignore-file no-console -- answers on its standard output
/**
 * A process that times llama.cpp: `deno run -A --no-config
 * --node-modules-dir=manual llama.ts NODE_MODULES FILE SEQUENCES`, in the
 * folder of NODE_MODULES, which holds node-llama-cpp. Measures once for every
 * line of its input.
 *
 * Sequences step together; each samples from its top 2,048 tokens, like this
 * server.
 *
 * @module
 */

import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** The used part of the package's API. */
interface Llama {
  loadModel(options: { modelPath: string }): Promise<{
    createContext(options: Record<string, number>): Promise<{
      getSequence(): Sequence;
    }>;
  }>;
}

interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: Record<string, number | boolean>,
  ): AsyncIterable<number>;
}

/** Tokens of a prompt, and timed steps after it. */
const PROMPT = 23;
const STEPS = 60;

const [modules, file, sequences] = Deno.args;
const entry = join(resolve(modules!), "node-llama-cpp", "dist", "index.js");
const { getLlama } = await import(pathToFileURL(entry).href);
const llama: Llama = await getLlama({
  build: "never",
  gpu: false,
  logLevel: "error",
});
const model = await llama.loadModel({ modelPath: resolve(file!) });
const context = await model.createContext({
  contextSize: 512,
  sequences: Number(sequences),
  threads: navigator.hardwareConcurrency,
  batchSize: 512,
});
const rows = Array.from(
  { length: Number(sequences) },
  () => context.getSequence(),
);
for await (const _ of createInterface({ input: process.stdin })) {
  const seconds = await Promise.all(rows.map(secondsPerStep));
  console.log(JSON.stringify({ "seconds_per_step": Math.max(...seconds) }));
}

async function secondsPerStep(
  sequence: Sequence,
  index: number,
): Promise<number> {
  await sequence.clearHistory();
  const prompt = Array.from(
    { length: PROMPT },
    (_, i) => 300 + (index * 37 + i * 11) % 900,
  );
  const options = {
    temperature: 1,
    topK: 2048,
    seed: index + 1,
    yieldEogToken: true,
  };
  let count = 0;
  let start = 0;
  for await (const _ of sequence.evaluate(prompt, options)) {
    if (count === 0) start = performance.now();
    if (count++ === STEPS) break;
  }
  return (performance.now() - start) / 1000 / STEPS;
}
