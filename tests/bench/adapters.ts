/**
 * The cost of adapters: tokens per second of full steps of emu3-mini, without
 * an adapter, with one and with several side by side.
 *
 *     deno run -A tests/bench/adapters.ts [folder]
 *
 * @module
 */

import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { writeAdapter } from "../support/adapters.ts";

const ROWS = 16;
const PROMPT = Int32Array.from({ length: 64 }, (_, i) => (37 * i) % 1000);
const STEPS = 40;
const ROUNDS = 5;
const RANK = 16;
const COUNT = 8;

/** Loads measured: the adapter of each row. */
const LOADS: Readonly<Record<string, (row: number) => string | undefined>> = {
  "no adapter": () => undefined,
  "1 adapter": () => "a0",
  "8 adapters": (row) => `a${row % COUNT}`,
  "1 row of 16 with an adapter": (row) => row === 0 ? "a0" : undefined,
};

const folder = Deno.args[0] ??
  new URL("../../models/emu3-mini", import.meta.url).pathname;
const checkpoint = await openLanguageCheckpoint(folder);
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
using folders = new DisposableStack();
const adapters: NamedAdapter[] = [];
for (let i = 0; i < COUNT; i++) {
  const fixture = { seed: i, rank: RANK, size: 0.02 };
  const { path } = folders.use(writeAdapter(checkpoint.config, fixture));
  const adapter = await openAdapter(path, checkpoint.config);
  adapters.push({ name: `a${i}`, adapter });
}
await using runtime = new Runtime({ threads: navigator.hardwareConcurrency });
await using decoder = await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
  slots: ROWS,
  contextLength: 256,
  chunkLength: 128,
  heads: ["codes"],
  cacheDtype: "float32",
  adapters,
});

/** Returns tokens per second of full steps. */
async function measured(
  adapterOf: (row: number) => string | undefined,
): Promise<number> {
  const names = Array.from({ length: ROWS }, (_, row) => adapterOf(row));
  for (const [slot, name] of names.entries()) {
    await decoder.prefill(slot, PROMPT, 0, undefined, name);
  }
  const started = performance.now();
  for (let i = 0; i < STEPS; i++) {
    const hidden = await decoder.step(names.map((adapter, slot) => ({
      slot,
      tokens: [1000 + i],
      position: PROMPT.length + i,
      adapter,
    })));
    await decoder.logits("codes", hidden, names);
  }
  const seconds = (performance.now() - started) / 1000;
  for (const slot of names.keys()) decoder.release(slot);
  return ROWS * STEPS / seconds;
}

const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, adapterOf] of Object.entries(LOADS)) {
    const rate = await measured(adapterOf);
    best.set(name, Math.max(rate, best.get(name) ?? 0));
  }
}
const base = best.get("no adapter")!;
const lines = [...best].map(([name, rate]) =>
  `${name}: ${rate.toFixed(0)} tokens/s, ${(100 * rate / base).toFixed(0)} %\n`
);
await Deno.stdout.write(new TextEncoder().encode(lines.join("")));
