/**
 * The drawings of a toy model, and their exact distribution.
 *
 * @module
 */

import fc from "fast-check";
import type { DrawingOptions } from "../../lib/drawing/drawing.ts";
import { drawingPolicy } from "../../lib/drawing/drawing_policy.ts";
import { type DrawnRow, promptRows } from "../../lib/drawing/drawn_grid.ts";
import { forcedAfter, pictureLayout } from "../../lib/drawing/token_layout.ts";
import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { Policy } from "../../lib/engine/policy.ts";
import type { GridSize } from "../../lib/grid.ts";
import { type Chance, keyedChance } from "../../lib/sampling/chance.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { distributionOf } from "../../lib/sampling/sampler.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import { distributionOfDraws } from "./enumerate.ts";
import {
  type PlainRun,
  runPlainly,
  statesOf,
  type ToyModel,
} from "./plain_loop.ts";

/** Creates a vocabulary of a given codebook size. */
export function toyVocabulary(codebookSize: number): Vocabulary {
  return {
    size: 20 + codebookSize,
    textSize: 4,
    firstCode: 20,
    codebookSize,
    pad: 4,
    bos: 5,
    eos: 6,
    img: 7,
    boi: 8,
    eoi: 9,
    eol: 10,
    eof: 11,
  };
}

/** Vocabulary with enough codes for pictures that differ. */
export const TOY_VOCABULARY = toyVocabulary(16);

/** Grids small enough to draw many of. */
export const anySize: fc.Arbitrary<GridSize> = fc.record({
  height: fc.integer({ min: 1, max: 6 }),
  width: fc.integer({ min: 1, max: 6 }),
});

/** Returns complete options. */
export function toyOptions(
  size: GridSize,
  more: Partial<DrawingOptions> = {},
): DrawingOptions {
  return {
    strategy: { name: "autoregressive" },
    size,
    layout: pictureLayout(size, TOY_VOCABULARY),
    prefix: undefined,
    guidanceScale: 1,
    sampling: { temperature: 1, topK: 0, topP: 1 },
    chanceAt: keyedChance({ seed: 42, stream: 3 }),
    logprobs: 0,
    resumeState: undefined,
    ...more,
  };
}

/** A picture and the record of its run. */
export interface ToyDrawing extends PlainRun {
  readonly codes: readonly number[];
  readonly rows: readonly DrawnRow[];
  /** Resume states, after each choice. */
  readonly resumeStates: readonly (ResumeState | undefined)[];
}

/**
 * Draws on `model` from the first choice to the end.
 *
 * @param given Tokens of the given rows, if the model is to read them.
 */
export function drawToy(
  options: DrawingOptions,
  model: ToyModel,
  vocabulary: Vocabulary = TOY_VOCABULARY,
  given: readonly number[] = [],
): ToyDrawing {
  const rows: DrawnRow[] = [];
  const resumeStates: (ResumeState | undefined)[] = [];
  const policy = drawingPolicy(vocabulary, options, (row) => rows.push(row));
  const noted: Pick<Policy, "choose"> = {
    choose: (scored) => {
      const draft = policy.choose(scored);
      resumeStates.push(structuredClone(policy.resumeState));
      return draft;
    },
  };
  const prompt = [...given, ...redrawn(options, vocabulary)];
  const run = runPlainly(noted, model, prompt);
  return { ...run, rows, resumeStates, codes: [...policy.grid.codes] };
}

/** Returns the tokens of the given rows in the prompt. */
function redrawn(options: DrawingOptions, vocabulary: Vocabulary): number[] {
  const { prefix, size: { width }, resumeState, layout } = options;
  const given = prefix?.height ?? 0;
  const rows = promptRows(options);
  const tokens: number[] = [];
  for (let i = 0; i < (rows - given) * width; i++) {
    tokens.push(vocabulary.firstCode + resumeState!.codes[i]!);
    if ((i + 1) % width === 0) {
      tokens.push(...forcedAfter(layout, given + Math.floor(i / width)));
    }
  }
  return tokens;
}

/** Computes the distribution of a strategy's pictures, by enumeration. */
export function strategyDistribution(
  options: DrawingOptions,
  model: ToyModel,
  vocabulary: Vocabulary,
): Map<string, number> {
  return distributionOfDraws((chance: Chance) => {
    const chanceAt = () => chance;
    return `${drawToy({ ...options, chanceAt }, model, vocabulary).codes}`;
  });
}

/**
 * Computes the distribution of sequential drawing, as a product along each
 * path.
 */
export function exactDistribution(
  { size, layout, sampling, guidanceScale, keep }: DrawingOptions,
  model: ToyModel,
  vocabulary: Vocabulary,
): Map<string, number> {
  const distribution = new Map<string, number>();
  const walk = (codes: number[], tokens: number[], probability: number) => {
    if (codes.length === size.height * size.width) {
      distribution.set(`${codes}`, probability);
      return;
    }
    const state = statesOf(tokens).at(-1)!;
    const logits = model.logits(0, state);
    if (model.rows > 1) guide(logits, model.logits(1, state), guidanceScale);
    const { tokens: may, probabilities } = keep?.kept[codes.length] === 1
      ? { tokens: [keep.codes[codes.length]!], probabilities: [1] }
      : distributionOf(logits, sampling);
    for (const [i, code] of may.entries()) {
      if (probabilities[i] === 0) continue;
      const next = [...codes, code];
      const ends = next.length % size.width === 0;
      const appended = [
        vocabulary.firstCode + code,
        ...(ends ? forcedAfter(layout, next.length / size.width - 1) : []),
      ];
      walk(next, [...tokens, ...appended], probability * probabilities[i]!);
    }
  };
  walk([], [], 1);
  return distribution;
}
