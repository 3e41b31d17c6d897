/**
 * The benchmark of sampling: `deno bench tests/bench/sampling_bench.ts`.
 *
 * @module
 */

import { guide } from "../../lib/sampling/guidance.ts";
import { kthLargest } from "../../lib/sampling/kth_largest.ts";
import { uniformAt } from "../../lib/sampling/random.ts";
import { sample } from "../../lib/sampling/sampler.ts";

const CODES = 32_768;
const KEY = { seed: 1, stream: 0 };
const logits = Float32Array.from(
  { length: CODES },
  (_, i) => 8 * uniformAt(KEY, i) - 4,
);
const other = logits.toReversed();
const guided = new Float32Array(CODES);

Deno.bench("kthLargest(), 2,048th of 32,768", () => {
  kthLargest(logits, 2048);
});

Deno.bench("guide() and sample(), top-k 2,048 of 32,768", () => {
  guided.set(logits);
  guide(guided, other, 3);
  sample(guided, { temperature: 1, topK: 2048, topP: 1 }, () => 0.5);
});

Deno.bench("the same with top-p 0.9", () => {
  guided.set(logits);
  guide(guided, other, 3);
  sample(guided, { temperature: 1, topK: 2048, topP: 0.9 }, () => 0.5);
});
