/**
 * The tests of determinism: the result of a request does not depend on
 * concurrent requests. They use the embedded model and real kernels, and
 * compare exact bits.
 */

import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import {
  answer,
  draw,
  type GenerationEvent,
  type GenerationParams,
  type Question,
} from "../../lib/emu3.ts";
import {
  type OpenedLanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const MINI = new URL("../../models/emu3-mini", import.meta.url).pathname;
const NEVER = new AbortController().signal;
const sampling = { temperature: 1, topK: 64, topP: 1 };

/** Number of trials, by the precision of the weights. */
const TRIALS = { fp32: 200, int8: 40, int4: 80 } as const;

/** Opens the embedded model, quantized on request. */
async function openModel(
  runtime: Runtime,
  precision: keyof typeof TRIALS,
  folder: string,
): Promise<OpenedLanguageModel> {
  let path = MINI;
  if (precision !== "fp32") {
    path = `${folder}/${precision}`;
    const how = { precision, threads: 2, program: "test" };
    await Array.fromAsync(quantizeCheckpoint(MINI, path, how));
  }
  return await openLanguageModel(runtime, await openLanguageCheckpoint(path), {
    heads: ["codes", "vocabulary"],
    slots: 15,
    // A tight limit, so that slots are trimmed and prefixes evicted.
    cacheBytes: 2 ** 23,
    chunkLength: 16,
    queueLimit: 64,
    now: () => performance.now(),
  });
}

const anyScene = fc.record({
  prompt: fc.constantFrom("a fox", "a red rocket above a tree", ""),
  negativePrompt: fc.constantFrom("blurry", ""),
  guidanceScale: fc.constantFrom(1, 3),
  size: fc.record({
    height: fc.integer({ min: 1, max: 2 }),
    width: fc.integer({ min: 1, max: 3 }),
  }),
  prefix: fc.constant(undefined),
  strategy: fc.constantFrom(
    strategyOf("autoregressive"),
    strategyOf("jacobi"),
    strategyOf("zipar"),
  ),
  sampling: fc.constant(sampling),
  seed: fc.integer({ min: 0, max: 3 }),
  count: fc.integer({ min: 1, max: 2 }),
  logprobs: fc.constant(0),
}) satisfies fc.Arbitrary<GenerationParams>;

const grid = { height: 2, width: 3, codes: Uint16Array.of(1, 2, 3, 4, 5, 6) };
const anyQuestion = fc.record({
  grids: fc.constantFrom([grid], [grid, grid]),
  question: fc.constantFrom("What is it?", "How many?"),
  template: fc.constant("chat" as const),
  maxTokens: fc.integer({ min: 1, max: 6 }),
  stop: fc.constant([]),
  sampling: fc.constant(sampling),
  seed: fc.integer({ min: 0, max: 3 }),
}) satisfies fc.Arbitrary<Question>;

const anyRequest = fc.oneof(
  fc.record({ scene: anyScene }),
  fc.record({ question: anyQuestion }),
);

/** An image to draw, or a question to caption. */
interface AnyRequest {
  readonly scene?: GenerationParams;
  readonly question?: Question;
}

/** Returns the result of a request: codes, or text. */
async function resultOf(
  model: OpenedLanguageModel,
  request: AnyRequest,
  signal: AbortSignal = NEVER,
): Promise<unknown> {
  const { scene, question } = request;
  if (scene !== undefined) {
    const events = await Array.fromAsync(draw(model, scene, signal));
    return events.filter(isGrid).sort((a, b) => a.imageIndex - b.imageIndex);
  }
  const events = await Array.fromAsync(
    answer(model, question!, signal),
  );
  return events.filter(({ type }) => type === "delta");
}

function isGrid(
  event: GenerationEvent,
): event is Extract<GenerationEvent, { type: "grid" }> {
  return event.type === "grid";
}

const anyOther = fc.record({
  request: anyRequest,
  cancelAfterMs: fc.option(fc.integer({ min: 0, max: 15 }), { nil: undefined }),
});

for (const precision of ["fp32", "int8", "int4"] as const) {
  Deno.test(`Engine in ${precision} returns the same for a request alone, in a batch of eight, and after canceled ones`, async () => {
    using folder = temporaryFolder();
    await using runtime = new Runtime({ threads: 2 });
    await using model = await openModel(runtime, precision, folder.path);
    const run = (request: AnyRequest, signal?: AbortSignal) =>
      resultOf(model, request, signal);
    await fc.assert(
      fc.asyncProperty(
        anyRequest,
        fc.array(anyOther, { minLength: 7, maxLength: 7 }),
        async (request, others) => {
          const alone = await run(request);
          const cancelled = others.map(async ({ request, cancelAfterMs }) => {
            if (cancelAfterMs === undefined) return await run(request);
            const signal = AbortSignal.timeout(cancelAfterMs);
            return await run(request, signal).catch(() => undefined);
          });
          deepStrictEqual(await run(request), alone);
          await Promise.all(cancelled);
          deepStrictEqual(await run(request), alone);
        },
      ),
      { numRuns: TRIALS[precision] },
    );
  });
}
