/**
 * The golden clips, and clips drawn with an opened model.
 *
 * @module
 */

import type { DrawnClip } from "../../lib/clip_layout.ts";
import type { DrawnRow } from "../../lib/drawing/drawn_grid.ts";
import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { draw, type GenerationParams } from "../../lib/emu3.ts";
import type { Statistics } from "../../lib/engine/sequence.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { goldenJson } from "./golden.ts";

/** A greedy clip of a reference; frames count frames of codes. */
export interface ClipCase {
  readonly name: string;
  readonly prompt: string;
  readonly negative: string | null;
  readonly guidance: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** Codes of the given frames. */
  readonly given: readonly number[] | null;
  /** Codes of all frames. */
  readonly codes: readonly number[];
  readonly "prompt_ids": readonly number[];
  readonly "negative_ids": readonly number[] | null;
  /** All tokens after the prompt, forced ones and the end included. */
  readonly "new_ids": readonly number[];
  /** The mode; only `frames`. */
  readonly mode?: "whole" | "interleaved";
  /** The template of the text between BOI and IMG; only `paper`. */
  readonly meta?: string;
  /** Frames of pixels in a second; only `paper`. */
  readonly fps?: number;
}

/** The forms of clips, as settings of a checkpoint. */
export const CLIP_FORMS = {
  paper: {
    format: "paper",
    interleaved: false,
    meta: "{frames}*{height}*{width}",
  },
  whole: { format: "frames", interleaved: false, meta: "" },
  interleaved: { format: "frames", interleaved: true, meta: "" },
} as const satisfies Readonly<Record<string, DrawnClip["form"]>>;

/** Greedy sampling. */
export const GREEDY = { temperature: 0, topK: 0, topP: 1 } as const;

/** Returns the golden clips of both forms, by name. */
export function clipCases(): ReadonlyMap<string, ClipCase> {
  const cases = (["paper", "frames"] as const).flatMap((form) => {
    const golden = goldenJson<{ cases: ClipCase[] }>(`clips/${form}.json`);
    return golden.cases.map((one) =>
      [`${form} ${one.name}`, one] as [string, ClipCase]
    );
  });
  return new Map(cases);
}

/** Returns a clip of `frames` frames of codes in a form. */
export function clipOf(
  form: DrawnClip["form"],
  frames: number,
  fps = 8,
): DrawnClip {
  return { form, frames, framesPerCode: form.format === "paper" ? 4 : 1, fps };
}

/** Returns frames of codes, one below the other. */
export function framesOf(
  { height, width, codes }: {
    readonly height: number;
    readonly width: number;
    readonly codes: readonly number[];
  },
): CodeGrid {
  return {
    height: height * (codes.length / (height * width)),
    width,
    codes: Uint16Array.from(codes),
  };
}

/** Returns the parameters of a greedy golden clip. */
export function caseParams(one: ClipCase): GenerationParams {
  const { frames, height, width, given, meta } = one;
  const form = meta === undefined
    ? CLIP_FORMS[one.mode!]
    : { ...CLIP_FORMS.paper, meta };
  return {
    ...clipParams(form, { frames, height, width }),
    prompt: one.prompt,
    negativePrompt: one.negative ?? "",
    guidanceScale: one.guidance,
    clip: clipOf(form, frames, one.fps),
    prefix: given === null
      ? undefined
      : framesOf({ height, width, codes: given }),
  };
}

/** Returns the parameters of a greedy clip of a form. */
export function clipParams(
  form: DrawnClip["form"],
  { frames, height, width }: {
    readonly frames: number;
    readonly height: number;
    readonly width: number;
  },
): GenerationParams {
  return {
    prompt: "a fox runs",
    negativePrompt: "blurry",
    guidanceScale: 2,
    size: { height: frames * height, width },
    clip: clipOf(form, frames),
    prefix: undefined,
    strategy: strategyOf("autoregressive"),
    sampling: GREEDY,
    seed: 3,
    count: 1,
    logprobs: 0,
  };
}

/** The clips of a request, and what was reported of them. */
export interface DrawnClips {
  /** All frames of each clip, one below the other. */
  readonly grids: readonly CodeGrid[];
  /** Rows of each clip, as reported. */
  readonly rows: readonly (readonly DrawnRow[])[];
  /** Resume states of the first clip, after each row. */
  readonly resumeStates: readonly ResumeState[];
  /** Number of forward passes. */
  readonly forwards: number;
  /** Statistics of the runs. */
  readonly statistics: Statistics;
}

/** Draws the clips of a request, the first from `resumeState` if given. */
export async function drawClips(
  model: LanguageModel,
  params: GenerationParams,
  resumeState?: ResumeState,
): Promise<DrawnClips> {
  const grids: CodeGrid[] = [];
  const rows: DrawnRow[][] = Array.from({ length: params.count }, () => []);
  const resumeStates: ResumeState[] = [];
  let statistics: Statistics | undefined;
  const { signal } = new AbortController();
  for await (const event of draw(model, params, signal, [resumeState])) {
    if (event.type === "row") {
      rows[event.imageIndex]!.push(event.row);
      const state = event.resumeState();
      if (event.imageIndex === 0 && state) resumeStates.push(state);
    }
    if (event.type === "grid") {
      grids[event.imageIndex] = structuredClone(event.grid);
    }
    if (event.type === "finished") statistics = event.statistics;
  }
  const { forwards } = statistics!;
  return { grids, rows, resumeStates, forwards, statistics: statistics! };
}
