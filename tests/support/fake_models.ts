/**
 * The models with an engine that a test controls.
 *
 * @module
 */

import type { AppServices } from "../../functions/app.ts";
import type { HeldState } from "../../functions/models/lazy_resource.ts";
import type {
  ModelListing,
  TextModel,
  VisionModel,
} from "../../functions/models/ports.ts";
import { Budget } from "../../lib/async/budget.ts";
import type { EngineState } from "../../lib/engine/engine.ts";
import type { EngineRequest, Statistics } from "../../lib/engine/sequence.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { TextTokenizer } from "../../lib/text/text_tokenizer.ts";
import { parseGenerationConfig } from "../../models/config/generation_config.ts";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { inPlaceCodec } from "../../lib/image/picture_codec.ts";
import { TINY_VOCABULARY } from "./golden.ts";

/** The run of a request by a fake engine. */
export type FakeRun = (
  request: EngineRequest,
  signal: AbortSignal,
) => Promise<Statistics>;

/** Statistics of zero duration. */
const STATISTICS: Statistics = {
  queueMs: 0,
  prefillMs: 0,
  decodeMs: 0,
  forwards: 1,
};

/** State of an engine without requests. */
const IDLE: EngineState = {
  slots: 8,
  slotsInUse: 0,
  waiting: 0,
  running: 0,
  oldestWaitMs: 0,
  forwards: 0,
  cache: {
    tokens: 4096,
    tokensHeld: 0,
    prefixes: { hits: 0, misses: 0, tokensSaved: 0, evictions: 0 },
  },
};

/** Chooses code 0 until the policy is complete. */
export function runAtOnce(request: EngineRequest): Promise<Statistics> {
  request.onQueued?.(0);
  request.onStarted?.();
  const width = request.policy.head === "codes"
    ? TINY_VOCABULARY.codebookSize
    : TINY_VOCABULARY.size;
  const logits = () => request.prompts.map(() => new Float32Array(width));
  let draft = request.policy.choose([logits()]);
  while (draft !== undefined) {
    draft = request.policy.choose(draft.scored.map(logits));
  }
  return Promise.resolve(STATISTICS);
}

/** Starts, and ends only when its signal aborts. */
export function runUntilAborted(
  request: EngineRequest,
  signal: AbortSignal,
): Promise<Statistics> {
  request.onQueued?.(3);
  request.onStarted?.();
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
}

/** Text tokenizer of one token per character, its code unit. */
const text: TextTokenizer = {
  textSize: TINY_VOCABULARY.textSize,
  specials: new Map(),
  ready: Promise.resolve(),
  encode: (text) =>
    Promise.resolve(Int32Array.from([...text], (c) => c.charCodeAt(0))),
  decode: (tokens) => String.fromCharCode(...tokens),
  stream: () => {
    throw new TypeError("the fake text side does not stream");
  },
  [Symbol.dispose]: () => {},
};

/** Vision tokenizer that encodes everything as black. */
const vision: VisionModel = {
  pixelsPerCode: 8,
  framesPerCode: 4,
  codebookSize: TINY_VOCABULARY.codebookSize,
  runBytesPerPixel: { encode: 500, decode: 1000 },
  deviceMemoryBytes: undefined,
  checkpoint: {
    name: "fake-vision",
    preprocessor: { minPixels: 64, maxPixels: 4096 },
  },
  encode: ({ height, width }) =>
    Promise.resolve({
      height: height / 8,
      width: width / 8,
      codes: new Uint16Array((height / 8) * (width / 8)),
    }),
  decode: ({ height, width }) =>
    Promise.resolve({
      height: 8 * height,
      width: 8 * width,
      pixels: new Uint8ClampedArray(3 * 64 * height * width),
    }),
  encodeClip: () => Promise.reject(new TypeError("the fake sees no clips")),
  decodeClip: () => {
    throw new TypeError("the fake makes no clips");
  },
};

/** Creates services around a fake engine; `changes` override the defaults. */
export function fakeServices(
  run: FakeRun,
  changes: Partial<AppServices> = {},
): AppServices {
  const model: TextModel = {
    name: "fake",
    config: { imageArea: 256 },
    generation: parseGenerationConfig({}),
    text,
    vocabulary: TINY_VOCABULARY,
  };
  const language: LanguageModel = {
    ...model,
    config: { ...parseLanguageConfig({}), imageArea: 256 },
    engine: { run, contextLength: 4096, state: IDLE },
  };
  return {
    codec: inPlaceCodec,
    pixels: new Budget({ total: 2 ** 28, maxWaiting: 32, now: () => 0 }),
    limits: { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 20 },
    imageGenerator: () => ({ language, vision, strategy: "autoregressive" }),
    captioner: () => ({ language, vision }),
    vision: () => vision,
    text: () => Promise.resolve(model),
    models: () => [listing("fake", { state: "ready", phases: [] })],
    ...changes,
  };
}

/** Creates the listing of a model in some state. */
export function listing(name: string, state: HeldState): ModelListing {
  return {
    name,
    revision: undefined,
    capabilities: ["generate"],
    precision: "fp32",
    device: "cpu",
    state,
    details: undefined,
    engine: undefined,
  };
}
