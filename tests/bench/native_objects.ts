/**
 * The native objects that walks leave behind: sessions, tensors and bindings of
 * ONNX Runtime, which the garbage collector does not see.
 *
 * The same walks are repeated. The first ones create buffers that are reused;
 * then their count must stay constant, and be zero when everything is closed.
 *
 * @module
 */

import {
  answer,
  draw,
  type GenerationParams,
  type Question,
} from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import {
  type LanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { EMBEDDED_MODEL } from "../../functions/variables.ts";

/** Native objects by kind. */
export type NativeCounts = Readonly<Record<string, number>>;

/** The counts at several moments. */
export interface NativeObjects {
  /** Counts after warm-up. */
  readonly warm: NativeCounts;
  /** Counts after the last walk. */
  readonly after: NativeCounts;
  /** Counts when everything is closed. */
  readonly closed: NativeCounts;
}

/** Repetitions of all walks; by the third, all reusable buffers exist. */
const WALKS = 10;
const WARM_WALKS = 3;

/** Guided pictures of 4 × 6 codes; varied fields are added. */
const SCENE: GenerationParams = {
  prompt: "three apples",
  negativePrompt: "",
  guidanceScale: 2,
  size: { height: 4, width: 6 },
  prefix: undefined,
  strategy: strategyOf("autoregressive"),
  sampling: { temperature: 1, topK: 256, topP: 1 },
  seed: 1,
  count: 1,
  logprobs: 0,
};

const GRID: CodeGrid = {
  height: 4,
  width: 6,
  codes: new Uint16Array(24).map((_, i) => 7 * i),
};

const SCENES: readonly GenerationParams[] = [
  SCENE,
  { ...SCENE, guidanceScale: 1 },
  { ...SCENE, prefix: { ...GRID, height: 1, codes: GRID.codes.slice(0, 6) } },
  { ...SCENE, guidanceScale: 1, count: 3 },
  { ...SCENE, strategy: strategyOf("jacobi") },
  { ...SCENE, strategy: strategyOf("zipar") },
];

const QUESTION: Question = {
  grids: [GRID],
  question: "How many apples are there?",
  template: "chat",
  maxTokens: 8,
  stop: [],
  sampling: { temperature: 0, topK: 0, topP: 1 },
  seed: 1,
};

/** Counts the native objects of the embedded models. */
export async function countNativeObjects(): Promise<NativeObjects> {
  const runtime = new Runtime({ threads: navigator.hardwareConcurrency });
  const counts: NativeCounts[] = [];
  {
    await using _ = runtime;
    const checkpoint = await openLanguageCheckpoint(EMBEDDED_MODEL);
    await using model = await openLanguageModel(runtime, checkpoint, {
      heads: ["codes", "vocabulary"],
      slots: 6,
      cacheBytes: 2 ** 28,
      chunkLength: 256,
      queueLimit: 8,
      now: () => performance.now(),
    });
    await using vision = new VisionTokenizer(
      runtime,
      await openVisionCheckpoint(`${EMBEDDED_MODEL}-visiontokenizer`),
    );
    for (let time = 0; time < WALKS; time++) {
      await walk(model, vision);
      counts.push(runtime.alive);
    }
  }
  return {
    warm: counts[WARM_WALKS - 1]!,
    after: counts.at(-1)!,
    closed: runtime.alive,
  };
}

/** Runs sequentially: the reusable buffers must not depend on timing. */
async function walk(
  model: LanguageModel,
  vision: VisionTokenizer,
): Promise<void> {
  const { signal } = new AbortController();
  for (const scene of SCENES) {
    for await (const _ of draw(model, scene, signal));
    await leave(model, scene);
  }
  for await (const _ of answer(model, QUESTION, signal));
  await vision.encode(await vision.decode(GRID));
}

/** Draws until the first row, then disconnects. */
async function leave(
  model: LanguageModel,
  scene: GenerationParams,
): Promise<void> {
  const abort = new AbortController();
  try {
    for await (const { type } of draw(model, scene, abort.signal)) {
      if (type === "row") abort.abort();
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
}
