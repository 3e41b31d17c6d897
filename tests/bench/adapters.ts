/**
 * The cost of adapters: tokens per CPU second of full steps of emu3-mini, by
 * the number of adapters that are loaded and that rows use.
 *
 *     deno run -A tests/bench/adapters.ts [folder]
 *
 * Loads alternate in short turns on one thread, of which the fastest counts;
 * CPU time depends little on other programs of the machine.
 *
 * @module
 */

import process from "node:process";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { writeAdapter } from "../support/adapters.ts";

const ROWS = 16;
const PROMPT = Int32Array.from({ length: 64 }, (_, i) => (37 * i) % 1000);
const STEPS = 5;
const ROUNDS = 40;
const RANK = 16;

/** A measured load. */
interface Load {
  /** Number of adapters that are loaded. */
  readonly loaded: number;
  /** Returns the index of a row's adapter; undefined for none. */
  readonly adapterOf: (row: number) => number | undefined;
}

const LOADS: Readonly<Record<string, Load>> = {
  "none": { loaded: 0, adapterOf: () => undefined },
  "8 loaded, none used": { loaded: 8, adapterOf: () => undefined },
  "1 loaded, used by all rows": { loaded: 1, adapterOf: () => 0 },
  "8 loaded, 1 used by all rows": { loaded: 8, adapterOf: () => 0 },
  "8 loaded, all used": { loaded: 8, adapterOf: (row) => row % 8 },
};

const folder = Deno.args[0] ??
  new URL("../../models/emu3-mini", import.meta.url).pathname;
const checkpoint = await openLanguageCheckpoint(folder);
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
await using resources = new AsyncDisposableStack();
const runtime = resources.use(
  new Runtime({ threads: 1 }),
);

/** Opens a decoder with so many adapters. */
async function opened(count: number): Promise<OnnxDecoder> {
  const adapters: NamedAdapter[] = [];
  for (let i = 0; i < count; i++) {
    const fixture = { seed: i, rank: RANK, size: 0.02 };
    const { path } = resources.use(writeAdapter(checkpoint.config, fixture));
    const adapter = await openAdapter(path, checkpoint.config);
    adapters.push({ name: `${i}`, adapter });
  }
  return resources.use(
    await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
      slots: ROWS,
      contextLength: 256,
      chunkLength: 128,
      heads: ["codes"],
      cacheDtype: "float32",
      adapters,
    }),
  );
}

/** Returns the CPU time of the process, in seconds. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Returns tokens per CPU second of full steps. */
async function measured(
  decoder: OnnxDecoder,
  { adapterOf }: Load,
): Promise<number> {
  const names = Array.from({ length: ROWS }, (_, row) => {
    const index = adapterOf(row);
    return index === undefined ? undefined : `${index}`;
  });
  for (const [slot, name] of names.entries()) {
    await decoder.prefill(slot, PROMPT, 0, undefined, name);
  }
  const started = cpuSeconds();
  for (let i = 0; i < STEPS; i++) {
    const hidden = await decoder.step(names.map((adapter, slot) => ({
      slot,
      tokens: [1000 + i],
      position: PROMPT.length + i,
      adapter,
    })));
    await decoder.logits("codes", hidden, names);
  }
  const seconds = cpuSeconds() - started;
  for (const slot of names.keys()) decoder.release(slot);
  return ROWS * STEPS / seconds;
}

const decoders = new Map<number, OnnxDecoder>();
for (const { loaded } of Object.values(LOADS)) {
  if (!decoders.has(loaded)) decoders.set(loaded, await opened(loaded));
}
const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, load] of Object.entries(LOADS)) {
    const rate = await measured(decoders.get(load.loaded)!, load);
    best.set(name, Math.max(rate, best.get(name) ?? 0));
  }
}
const base = best.get("none")!;
const lines = [...best].map(([name, rate]) =>
  `${name}: ${rate.toFixed(0)} tokens per CPU second, ${
    (100 * rate / base).toFixed(0)
  } %\n`
);
await Deno.stdout.write(new TextEncoder().encode(lines.join("")));
