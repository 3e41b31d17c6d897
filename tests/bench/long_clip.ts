// deno-lint-ignore-file no-console -- a report for people
/**
 * The rehearsal of the longest clips: a small model of noise with 131,072
 * positions goes on with a clip that fills almost all of them, with each
 * lossless strategy. The decoder is tiny, so that memory is that of the keys,
 * the values and what a run needs beside them.
 *
 * ```sh
 * deno task bench:clip            # Linux; about a minute on two cores
 * deno task bench:clip 20         # frames of context, 192 by default
 * ```
 *
 * The last line is one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { CLIP_FORMS, clipParams, drawClips } from "../support/clips.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { openLanguageModel } from "../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { writeMiddle } from "./middle_checkpoint.ts";

/** The context length that the paper draws clips with. */
const POSITIONS = 131_072;

const SIZES = {
  "hidden_size": 16,
  "intermediate_size": 32,
  "num_hidden_layers": 2,
  "num_attention_heads": 1,
  "num_key_value_heads": 1,
  "max_position_embeddings": POSITIONS,
} as const;

/** The size of a frame in UniVLA's data of CALVIN. */
const FRAME = { height: 25, width: 25 };

/** Frames that are drawn after the context. */
const DRAWN = 1;

/** Bytes of keys and values: two sequences of full length and one snapshot. */
const CACHE_BYTES = 2 ** 28;

/** Milliseconds between two samples of the memory. */
const SAMPLE_MS = 50;

const context = Number(Deno.args[0] ?? 192);
using folder = temporaryFolder();
await writeMiddle(folder.path, "F32", SIZES);
await using runtime = new Runtime({ threads: 2 });
const checkpoint = await openLanguageCheckpoint(folder.path);
await using model = await openLanguageModel(runtime, checkpoint, {
  heads: ["codes"],
  slots: 2,
  cacheBytes: CACHE_BYTES,
  chunkLength: 256,
  queueLimit: 8,
  now: () => performance.now(),
});
const frames = context + DRAWN;
const { codebookSize } = model.vocabulary;
const prefix = {
  height: context * FRAME.height,
  width: FRAME.width,
  codes: Uint16Array.from(
    { length: context * FRAME.height * FRAME.width },
    // A multiplicative hash, so that frames differ.
    (_, i) => (Math.imul(i, 0x9e37_79b1) >>> 8) % codebookSize,
  ),
};
const params = {
  ...clipParams(CLIP_FORMS.whole, { ...FRAME, frames }),
  guidanceScale: 1,
  prefix,
};

const opened = mebibytes();
console.log(`opened: ${opened.toFixed(0)} MiB resident`);
const results = [];
let first: Uint16Array | undefined;
for (const name of ["autoregressive", "jacobi"] as const) {
  const strategy = strategyOf(name);
  const sampler = sampleMemory();
  const start = performance.now();
  const drawn = await drawClips(model, { ...params, strategy });
  const seconds = (performance.now() - start) / 1000;
  const peak = sampler.stop();
  const codes = drawn.grids[0]!.codes;
  first ??= codes;
  const result = {
    name,
    tokens: context * (FRAME.height * FRAME.width + 1),
    seconds,
    ...drawn.statistics,
    peakMebibytes: peak - opened,
    equal: codes.every((code, i) => code === first![i]),
  };
  results.push(result);
  console.log(result);
}
const { tokens, tokensHeld, prefixes } = model.engine.state.cache;
console.log({ cache: model.cache, tokens, tokensHeld, prefixes });
console.log(JSON.stringify({ frames, opened, results }));
if (results.some(({ equal }) => !equal)) Deno.exitCode = 1;

function mebibytes(): number {
  return Deno.memoryUsage().rss / 2 ** 20;
}

/** Samples the resident memory; `stop` returns its maximum, in MiB. */
function sampleMemory(): { readonly stop: () => number } {
  let most = mebibytes();
  const timer = setInterval(() => {
    most = Math.max(most, mebibytes());
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(most, mebibytes());
    },
  };
}
