import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  planMemory,
  trainedCount,
  weightCount,
} from "../../../lib/tuning/memory_plan.ts";
import { defaultSettings } from "../../../lib/tuning/settings.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";

/** The published sizes. */
const config = parseLanguageConfig({});
const lora = defaultSettings("lora").method;
const run = {
  config,
  method: lora,
  replays: false,
  storedBytes: 2,
  computedBytes: 2,
  tokens: 9216,
  parallel: [1],
};

Deno.test("weightCount is the published model's", () => {
  strictEqual(weightCount(config), 8_492_011_520);
  // PEFT's count for rank 16 on all seven matrices.
  strictEqual(trainedCount(config, lora), 41_943_040);
});

Deno.test("planMemory takes the fastest arrangement that fits", () => {
  const fast = planMemory(run, Infinity);
  const small = planMemory(run, 0);
  ok(fast.keeps && !small.keeps);
  ok(fast.totalBytes > small.totalBytes);
  strictEqual(planMemory(run, fast.totalBytes).keeps, true);
  strictEqual(planMemory(run, fast.totalBytes - 1).keeps, false);
  ok(small.parts.weights === 2 * weightCount(config));
});

Deno.test("planMemory counts 16 bytes a parameter of full tuning", () => {
  const plan = planMemory({ ...run, method: { kind: "full" } }, Infinity);
  strictEqual(plan.parts.trained, 16 * weightCount(config));
  strictEqual(plan.parts.weights, 0);
});

Deno.test("planMemory counts the layers that are trained, and what they keep above the lowest", () => {
  const planned = (layers: readonly number[]) => {
    const method = { ...lora, layers };
    ok(method.kind === "lora");
    return planMemory({ ...run, method }, Infinity).parts;
  };
  const all = planMemory(run, Infinity).parts;
  const [last, first] = [planned([31]), planned([0])];
  strictEqual(last.trained * config.layers, all.trained);
  ok(last.activations < first.activations);
  ok(first.activations < all.activations);
  throws(() => planned([32]), /no layer 32: give --layers from 0 to 31/);
});

Deno.test("planMemory runs sequences side by side where they fit, each with its gradients and activations", () => {
  const several = { ...run, parallel: [3, 1] };
  const one = planMemory(run, Infinity);
  const three = planMemory(several, Infinity);
  strictEqual(three.parallel, 3);
  strictEqual(three.parts.activations, 3 * one.parts.activations);
  strictEqual(
    three.parts.trained - one.parts.trained,
    2 * 4 * trainedCount(config, lora),
  );
  ok(three.parts.work > one.parts.work);
  strictEqual(three.parts.weights, one.parts.weights);
  deepStrictEqual(planMemory(several, three.totalBytes - 1), one);
});

Deno.test("planMemory counts what the base computes of replayed records", () => {
  const plan = planMemory(run, Infinity);
  const { parts } = planMemory({ ...run, replays: true }, Infinity);
  strictEqual(
    parts.activations - plan.parts.activations,
    run.tokens * run.computedBytes * config.hiddenSize,
  );
  ok(parts.work >= plan.parts.work);
});
