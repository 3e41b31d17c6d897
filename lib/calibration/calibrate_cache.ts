/**
 * The calibration of an int8 KV cache: the model reads drafts of pictures in
 * floats, and the largest keys and values of each channel set the scales.
 *
 * ```text
 * prompt │ random codes      ─▶ logits ─▶ sampled codes
 * prompt │ sampled codes     ─▶ logits ─▶ sampled codes ─▶ …
 * ```
 *
 * Each run samples all codes of a draft at once from those of the run before,
 * as Jacobi decoding does, so that a few runs draft pictures of the model's own
 * distribution.
 *
 * @module
 */

import type { CacheScales, LayerScales } from "../../models/cache_scales.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { uniformAt } from "../sampling/random.ts";
import { sample } from "../sampling/sampler.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { MIN_ROWS } from "../decoder/decoder.ts";
import {
  openReadableDecoder,
  type ReadableDecoder,
} from "./readable_decoder.ts";

/** The tokens of pictures. */
export type PictureTokens = Pick<
  Vocabulary,
  "firstCode" | "codebookSize" | "eol"
>;

/** A picture to draft. */
export interface DraftPrompt {
  /** Tokens up to the first code. */
  readonly tokens: Int32Array;
  /** Rows of the picture. */
  readonly height: number;
  /** Codes of a row. */
  readonly width: number;
}

/** Number of runs over each draft. */
const RUNS = 3;

/** The sampling of drafts: broad, to include what users ask for. */
const SAMPLING = { temperature: 1, topK: 0, topP: 1 } as const;

/** Number of codes that are scored together, which bounds the memory. */
const SCORED_TOGETHER = 16;

/** Scales are powers of two, in this many steps. */
const STEPS_PER_OCTAVE = 8;

/** The largest code of a key or value. */
const MAX_CODE = 127;

/**
 * The numbers that codes hold, as a multiple of those of the drafts: clipping
 * one of another picture costs far more than half of the resolution.
 */
const MARGIN = 2;

/**
 * Returns the scales of the cache of `checkpoint`, from drafts of pictures.
 *
 * @throws {CheckpointError} If a weight is missing or has another shape.
 * @throws {RuntimeError} If ONNX Runtime refuses a graph.
 */
export async function calibrateCache(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  vocabulary: PictureTokens,
  prompts: readonly DraftPrompt[],
): Promise<CacheScales> {
  const length = Math.max(
    ...prompts.map(({ tokens, height, width }) =>
      tokens.length + height * (width + 1)
    ),
  );
  await using decoder = await openReadableDecoder(
    runtime,
    checkpoint,
    vocabulary,
    {
      slots: MIN_ROWS,
      contextLength: length,
      chunkLength: length,
      heads: ["codes"],
    },
  );
  const { config } = checkpoint;
  const largest = noScales(config);
  for (const [stream, prompt] of prompts.entries()) {
    const key = { seed: 0, stream };
    const draft = randomDraft(vocabulary, prompt, key);
    for (let run = 1; run <= RUNS; run++) {
      const hidden = await decoder.prefill(0, draft, 0);
      raise(largest, await decoder.contents(0, draft.length), config);
      if (run === RUNS) continue;
      await redraw(decoder, vocabulary, draft, hidden, {
        start: prompt.tokens.length,
        uniform: (position) => uniformAt(key, position, run),
      });
    }
  }
  return largest.map(({ key, value }) => ({
    key: key.map(scaleOf),
    value: value.map(scaleOf),
  }));
}

/** Returns the prompt, then rows of random codes. */
function randomDraft(
  { firstCode, codebookSize, eol }: PictureTokens,
  { tokens, height, width }: DraftPrompt,
  key: { seed: number; stream: number },
): Int32Array<ArrayBuffer> {
  const row = width + 1;
  const codes = Int32Array.from({ length: height * row }, (_, i) => {
    if (i % row === width) return eol;
    return firstCode + Math.floor(codebookSize * uniformAt(key, i));
  });
  return Int32Array.of(...tokens, ...codes);
}

/**
 * Replaces the codes of a draft by samples.
 *
 * @param draft Overwritten.
 * @param hidden Hidden states of the draft's tokens, `[S, E]`.
 */
async function redraw(
  decoder: Pick<ReadableDecoder, "logits">,
  { firstCode, eol }: PictureTokens,
  draft: Int32Array<ArrayBuffer>,
  hidden: Float32Array<ArrayBuffer>,
  { start, uniform }: {
    readonly start: number;
    readonly uniform: (position: number) => number;
  },
): Promise<void> {
  const size = hidden.length / draft.length;
  const positions = Array.from(draft.keys()).slice(start)
    .filter((position) => draft[position] !== eol);
  for (let first = 0; first < positions.length; first += SCORED_TOGETHER) {
    const some = positions.slice(first, first + SCORED_TOGETHER);
    const before = some.map((position) =>
      hidden.subarray((position - 1) * size, position * size)
    );
    const logits = await decoder.logits("codes", before);
    for (const [i, position] of some.entries()) {
      const code = sample(logits[i]!, SAMPLING, () => uniform(position));
      draft[position] = firstCode + code;
    }
  }
}

function noScales(
  { layers, keyValueHeads, headSize }: LanguageConfig,
): LayerScales[] {
  const channels = keyValueHeads * headSize;
  return Array.from({ length: layers }, () => ({
    key: new Float32Array(channels),
    value: new Float32Array(channels),
  }));
}

/**
 * Raises magnitudes to those of a cache. Those of keys are the lengths of
 * rotated pairs, which are the same at every position.
 *
 * @param largest Magnitudes of every channel, overwritten.
 * @param contents Keys, then values of each layer, `[H, S, D]` each.
 */
function raise(
  largest: readonly LayerScales[],
  contents: readonly Float32Array[],
  { keyValueHeads, headSize }: LanguageConfig,
): void {
  const half = headSize / 2;
  const tokens = contents[0]!.length / (keyValueHeads * headSize);
  for (const [layer, { key, value }] of largest.entries()) {
    const keys = contents[2 * layer]!;
    const values = contents[2 * layer + 1]!;
    for (let at = 0; at < keyValueHeads * tokens; at++) {
      const head = headSize * Math.floor(at / tokens);
      for (let i = 0; i < headSize; i++) {
        const channel = head + i;
        const x = values[at * headSize + i]!;
        value[channel] = Math.max(value[channel]!, Math.abs(x));
        const other = i < half ? i + half : i - half;
        const pair = [keys[at * headSize + i]!, keys[at * headSize + other]!];
        key[channel] = Math.max(key[channel]!, Math.hypot(...pair));
      }
    }
  }
}

/**
 * Returns the scale for drafts with numbers up to `largest`: the next step
 * above, so that machines that round differently have the same scales.
 */
function scaleOf(largest: number): number {
  // A channel without any number may have any scale.
  if (largest === 0) return 1;
  const steps = STEPS_PER_OCTAVE * Math.log2(MARGIN * largest / MAX_CODE);
  return 2 ** (Math.ceil(steps) / STEPS_PER_OCTAVE);
}
