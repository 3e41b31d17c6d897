/**
 * The four functions of Emu3 between text, codes and pixels.
 *
 * ```text
 * tokenize     picture → codes                               VisionTokenizer.encode
 * detokenize   codes → picture                               VisionTokenizer.decode
 * caption      picture → codes → prompt → tokens → text      answer
 * generate     text → prompt → tokens → codes → picture      draw
 * ```
 *
 * The first two are methods of the vision tokenizer. The other two run a
 * language model; `caption` starts from codes and `generate` ends at codes, so
 * that callers convert pixels only if they need to.
 *
 * This module does not depend on HTTP, files or devices.
 *
 * @module
 */

import type { Template } from "../models/config/generation_config.ts";
import { runTaskGroup } from "./async/task_group.ts";
import { AnswerText } from "./answering/answer_text.ts";
import { AnsweringPolicy, type FinishReason } from "./answering/answering.ts";
import { channel } from "./async/channel.ts";
import { drawingPolicy } from "./drawing/drawing_policy.ts";
import { type DrawnRow, promptRows } from "./drawing/drawn_grid.ts";
import type { ResumeState } from "./drawing/resume_state.ts";
import type { KeptCodes } from "./drawing/kept_codes.ts";
import type { Strategy } from "./drawing/strategy.ts";
import type { Statistics } from "./engine/sequence.ts";
import { CacheTooSmallError, PromptTooLongError } from "./errors.ts";
import { drawnLength } from "./drawing/token_layout.ts";
import {
  drawingLayout,
  drawingPrompts,
  type PromptedParams,
} from "./drawing_prompt.ts";
import { type CodeGrid, firstRows } from "./grid.ts";
import type { LanguageModel } from "./language_model.ts";
import {
  type PromptWriter,
  questionPrompt,
  requireGridsFit,
  writerFor,
} from "./prompt.ts";
import { keyedChance } from "./sampling/chance.ts";
import type { SamplingOptions } from "./sampling/sampler.ts";

/** The parameters of a generation. */
export interface GenerationParams extends PromptedParams {
  /** Kept codes, including those of `prefix`; none by default. */
  readonly keep?: KeptCodes | undefined;
  /** The strategy of drawing. */
  readonly strategy: Strategy;
  /** Options that choose each code. */
  readonly sampling: SamplingOptions;
  /** Seed of the random numbers, 0 … 2^53 − 1. */
  readonly seed: number;
  /** Number of pictures; picture i draws from stream i of the seed. */
  readonly count: number;
  /**
   * Number of the most probable codes to record at each position; 0 for none.
   */
  readonly logprobs: number;
  /** Name of the adapter; undefined for the model alone. */
  readonly adapter?: string | undefined;
}

/** A question, mostly about pictures. */
export interface Question {
  /** Grids of the pictures; none for a question of text alone. */
  readonly grids: readonly CodeGrid[];
  /** The question, used verbatim. */
  readonly question: string;
  /** The template of the question. */
  readonly template: Template;
  /** The maximum number of tokens, limited by the rest of the context. */
  readonly maxTokens: number;
  /** Texts before which the answer ends; none is empty. */
  readonly stop: readonly string[];
  /** Options that choose each token. */
  readonly sampling: SamplingOptions;
  /** Seed of the random numbers, 0 … 2^53 − 1. */
  readonly seed: number;
  /** Name of the adapter; undefined for the model alone. */
  readonly adapter?: string | undefined;
}

/** The tokens that a request used. */
export interface Usage {
  /** Number of tokens in all prompts. */
  readonly promptTokens: number;
  /** Number of tokens chosen or forced. */
  readonly newTokens: number;
}

/** The event that ends a request. */
export interface Finished {
  /** Type of the event, always the last. */
  readonly type: "finished";
  /** The tokens used. */
  readonly usage: Usage;
  /**
   * Statistics of the run; for several pictures, the sums of counts and the
   * maxima of times.
   */
  readonly statistics: Statistics;
}

/** The events of a request before it runs. */
export type Admitted =
  | {
    /** Type of the first event, unless the request is refused. */
    readonly type: "queued";
    /** Number of requests before this one. */
    readonly position: number;
  }
  | {
    /** Type of the event once the request runs. */
    readonly type: "started";
  };

/** The events of a drawing. */
export type GenerationEvent =
  | Admitted
  | {
    readonly type: "row";
    readonly imageIndex: number;
    readonly row: DrawnRow;
    /** Returns the state to resume the picture from, as of now. */
    readonly resumeState: () => ResumeState | undefined;
  }
  | {
    readonly type: "grid";
    readonly imageIndex: number;
    readonly grid: CodeGrid;
  }
  | Finished;

/** The events of an answer. */
export type CaptioningEvent =
  | Admitted
  | { readonly type: "delta"; readonly text: string }
  | (Finished & {
    readonly text: string;
    readonly finishReason: FinishReason;
  });

/**
 * Draws pictures: yields the queued and started events, each row when it is
 * complete, each grid, and the finished event.
 *
 * @param resumeStates Resume states by picture; pictures without one start from
 * the beginning. Rows that were drawn before are reported again.
 * @param caller The caller that it is queued for; see
 * {@linkcode EngineRequest}.
 * @throws {PromptTooLongError} If prompt and picture exceed the context.
 * @throws {CacheTooSmallError} If they exceed the memory.
 * @throws {OverloadedError} If the queue is full.
 */
export async function* draw(
  model: LanguageModel,
  params: GenerationParams,
  signal: AbortSignal,
  resumeStates: readonly (ResumeState | undefined)[] = [],
  caller?: string,
): AsyncGenerator<GenerationEvent, void, undefined> {
  const writer = writerFor(model, { caller, signal });
  const prompts = await drawingPrompts(writer, params);
  const layout = await drawingLayout(writer, params);
  const { size } = params;
  const finished: Statistics[] = [];
  const group = Symbol("scene");
  yield* channel<GenerationEvent>(async (emit, signal) => {
    const admitted = admission(emit);
    const one = async (imageIndex: number, signal: AbortSignal) => {
      const chanceAt = keyedChance({ seed: params.seed, stream: imageIndex });
      const resumeState = resumeStates[imageIndex];
      const policy = drawingPolicy(
        model.vocabulary,
        { ...params, layout, chanceAt, resumeState },
        (row) => {
          const resumeState = () => policy.resumeState;
          emit({ type: "row", imageIndex, row, resumeState });
        },
      );
      const given = promptRows({ ...params, resumeState });
      const request = {
        prompts: resumeState === undefined ? prompts : await drawingPrompts(
          writer,
          params,
          firstRows(policy.grid, given),
        ),
        policy,
        adapter: params.adapter,
        // The last code and what is forced after it are not appended.
        maxNewTokens: drawnLength(layout, size, given) - 1,
        long: true,
        group,
        caller,
        ...admitted,
      };
      finished.push(await model.engine.run(request, signal));
      emit({ type: "grid", imageIndex, grid: policy.grid });
    };
    await runTaskGroup(params.count, one, signal);
  }, signal);
  const promptTokens = prompts.reduce(
    (sum, { tokens }) => sum + tokens.length,
    0,
  );
  yield {
    type: "finished",
    usage: {
      promptTokens,
      newTokens: params.count *
        (drawnLength(layout, size, params.prefix?.height ?? 0) +
          layout.endLength),
    },
    statistics: together(finished),
  };
}

/** Returns the prompt of a question. */
export async function questionTokens(
  model: PromptWriter,
  { grids, question, template }: Pick<
    Question,
    "grids" | "question" | "template"
  >,
): Promise<Int32Array<ArrayBuffer>> {
  const prompt = await questionPrompt(model, grids, question, template);
  return prompt.tokens;
}

/**
 * Answers `question`: yields the queued and started events, the text in whole
 * characters as it is decoded, and the finished event.
 *
 * @param caller The caller that it is queued for; see
 * {@linkcode EngineRequest}.
 * @throws {PromptTooLongError} If the context leaves no room for an answer.
 * @throws {CacheTooSmallError} If the memory leaves no room.
 * @throws {OverloadedError} If the queue is full.
 */
export async function* answer(
  model: LanguageModel,
  question: Question,
  signal: AbortSignal,
  caller?: string,
): AsyncGenerator<CaptioningEvent, void, undefined> {
  const { engine, text, vocabulary } = model;
  requireGridsFit(question.grids, model.config.maxPositions);
  const prompt = await questionPrompt(
    writerFor(model, { caller, signal }),
    question.grids,
    question.question,
    question.template,
  );
  const length = prompt.tokens.length;
  const room = engine.contextLength - length;
  if (room < 1) {
    const { contextLength } = engine;
    throw contextLength < model.config.maxPositions
      ? new CacheTooSmallError(length + 1, contextLength)
      : new PromptTooLongError(length + 1, contextLength);
  }
  const maxTokens = Math.min(question.maxTokens, room);
  const output = new AnswerText(text.stream({ skipSpecial: true }), question);
  let whole = "";
  let policy: AnsweringPolicy | undefined;
  let statistics: Statistics | undefined;
  yield* channel<CaptioningEvent>(async (emit, signal) => {
    const emitText = (part: string) => {
      whole += part;
      if (part !== "") emit({ type: "delta", text: part });
    };
    policy = new AnsweringPolicy({
      eos: vocabulary.eos,
      endTokens: model.generation.endTokens,
      maxTokens,
      sampling: question.sampling,
      key: { seed: question.seed, stream: 0 },
    }, (token) => {
      emitText(output.push(token));
      if (output.ended) policy!.stop();
    });
    const request = {
      prompts: [prompt],
      adapter: question.adapter,
      maxNewTokens: maxTokens - 1,
      long: false,
      policy,
      caller,
      ...admission(emit),
    };
    statistics = await engine.run(request, signal);
    emitText(output.finish());
  }, signal);
  yield {
    type: "finished",
    text: whole,
    finishReason: policy!.finishReason,
    usage: { promptTokens: length, newTokens: policy!.count },
    statistics: statistics!,
  };
}

/** Emits the first queued and the first started event of any number of runs. */
function admission(emit: (event: Admitted) => void) {
  let queued = false;
  let started = false;
  return {
    onQueued: (position: number) => {
      if (!queued) emit({ type: "queued", position });
      queued = true;
    },
    onStarted: () => {
      if (!started) emit({ type: "started" });
      started = true;
    },
  };
}

/** Returns the statistics of pictures drawn concurrently. */
function together(all: readonly Statistics[]): Statistics {
  const longest = (of: (one: Statistics) => number) => Math.max(...all.map(of));
  return {
    queueMs: longest(({ queueMs }) => queueMs),
    prefillMs: longest(({ prefillMs }) => prefillMs),
    decodeMs: longest(({ decodeMs }) => decodeMs),
    forwards: all.reduce((sum, { forwards }) => sum + forwards, 0),
  };
}
