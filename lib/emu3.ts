/**
 * Emu3: four walks between text, codes and pixels.
 *
 * ```text
 * tokenize     picture → codes                               VisionTokenizer.encode
 * detokenize   codes → picture                               VisionTokenizer.decode
 * caption      picture → codes → prompt → tokens → text      answer
 * generate     text → prompt → tokens → codes → picture      draw
 * ```
 *
 * The first two are the vision tokenizer alone. The other two go through a
 * language model and end, respectively begin, at codes: whether pixels are
 * wanted is for the caller to say.
 *
 * Knows nothing of HTTP, files or devices.
 *
 * @module
 */

import type { Template } from "../models/config/generation_config.ts";
import { allOrNone } from "./async/all_or_none.ts";
import { AnswerText } from "./answering/answer_text.ts";
import { AnsweringPolicy, type FinishReason } from "./answering/answering.ts";
import { channel } from "./async/channel.ts";
import { drawingPolicy } from "./drawing/drawing_policy.ts";
import { type DrawnRow, promptRows } from "./drawing/drawn_grid.ts";
import type { ResumeState } from "./drawing/resume_state.ts";
import type { KeptCodes } from "./drawing/kept_codes.ts";
import type { Strategy } from "./drawing/strategy.ts";
import type { Prompt, Statistics } from "./engine/sequence.ts";
import { CacheTooSmallError, PromptTooLongError } from "./errors.ts";
import { type CodeGrid, firstRows, type GridSize, rowTokens } from "./grid.ts";
import { requireRoomFor } from "./grid_room.ts";
import type { LanguageModel } from "./language_model.ts";
import {
  drawingPrompt,
  type PromptWriter,
  questionPrompt,
  writerFor,
} from "./prompt.ts";
import { keyedChance } from "./sampling/chance.ts";
import type { SamplingOptions } from "./sampling/sampler.ts";

/** What to draw. */
export interface GenerationParams {
  /** Used verbatim. */
  readonly prompt: string;
  /** Prompt of the unconditional branch. */
  readonly negativePrompt: string;
  /** 1 means no unconditional branch at all. */
  readonly guidanceScale: number;
  /** In codes. */
  readonly size: GridSize;
  /** Rows that are given, fewer than `size` has. */
  readonly prefix: CodeGrid | undefined;
  /** Codes that stay, those of `prefix` among them; none when left out. */
  readonly keep?: KeptCodes | undefined;
  /** In which way codes are drawn. */
  readonly strategy: Strategy;
  /** How codes are chosen. */
  readonly sampling: SamplingOptions;
  /** 0 … 2^53 − 1. */
  readonly seed: number;
  /** Pictures; picture i draws from stream i of the seed. */
  readonly count: number;
  /** How many of the strongest codes to note at each position; 0 for none. */
  readonly logprobs: number;
}

/** A question, mostly about pictures. */
export interface Question {
  /** None for a question of text alone. */
  readonly grids: readonly CodeGrid[];
  /** Used verbatim. */
  readonly question: string;
  /** How the question is worded. */
  readonly template: Template;
  /** Cut to what the context leaves. */
  readonly maxTokens: number;
  /** Texts before which the answer ends; none is empty. */
  readonly stop: readonly string[];
  /** How tokens are chosen. */
  readonly sampling: SamplingOptions;
  /** 0 … 2^53 − 1. */
  readonly seed: number;
}

/** How much was worked. */
export interface Usage {
  /** Tokens of all prompts. */
  readonly promptTokens: number;
  /** Tokens chosen or forced. */
  readonly newTokens: number;
}

/** A request's end. */
export interface Finished {
  /** Always the last event. */
  readonly type: "finished";
  /** How much was worked. */
  readonly usage: Usage;
  /** How long it took; of several pictures, the sums but for the times, which are the longest. */
  readonly statistics: Statistics;
}

/** A request's way to its slots. */
export type Admitted =
  | {
    /** The first event, unless the request is refused. */
    readonly type: "queued";
    /** Requests that come before. */
    readonly position: number;
  }
  | {
    /** The model is at work. */
    readonly type: "started";
  };

/** What happens while drawing. */
export type DrawingEvent =
  | Admitted
  | {
    readonly type: "row";
    readonly imageIndex: number;
    readonly row: DrawnRow;
    /** What it takes to go on from where the picture is by now. */
    readonly halfway: () => ResumeState | undefined;
  }
  | {
    readonly type: "grid";
    readonly imageIndex: number;
    readonly grid: CodeGrid;
  }
  | Finished;

/** What happens while answering. */
export type AnswerEvent =
  | Admitted
  | { readonly type: "delta"; readonly text: string }
  | (Finished & {
    readonly text: string;
    readonly finishReason: FinishReason;
  });

/** Token ids that the model would be fed. */
export interface PromptTokens {
  /** Prompt, given rows included. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** The same of the unconditional branch. */
  readonly unconditional: Int32Array<ArrayBuffer> | undefined;
}

/** What the prompts of a picture are made of. */
export type PromptedParams = Pick<
  GenerationParams,
  "prompt" | "negativePrompt" | "guidanceScale" | "size" | "prefix"
>;

/** The prompts of a scene. */
export async function drawingTokens(
  model: PromptWriter,
  scene: PromptedParams,
): Promise<PromptTokens> {
  const { prefix } = scene;
  const rows = prefix && rowTokens(prefix, prefix.height, model.vocabulary);
  const write = async (text: string) => {
    const prompt = await drawingPrompt(model, text, scene.size);
    return Int32Array.from([...prompt, ...rows ?? []]);
  };
  return {
    tokens: await write(scene.prompt),
    unconditional: scene.guidanceScale === 1
      ? undefined
      : await write(scene.negativePrompt),
  };
}

/**
 * Draws `scene`: first that it is queued and started, then its rows as they are
 * done, its grids, the end.
 *
 * @param halfways By picture, where one that stopped goes on; others start. Rows
 * that were drawn are told again.
 * @param caller On whose behalf it waits; see {@linkcode EngineRequest}.
 * @throws {PromptTooLongError} When prompt and picture exceed the context.
 * @throws {CacheTooSmallError} When they exceed the memory.
 * @throws {OverloadedError} When the queue is full.
 */
export async function* draw(
  model: LanguageModel,
  scene: GenerationParams,
  signal: AbortSignal,
  halfways: readonly (ResumeState | undefined)[] = [],
  caller?: string,
): AsyncGenerator<DrawingEvent, void, undefined> {
  const writer = writerFor(model, { caller, signal });
  const prompts = await drawingPrompts(writer, scene);
  const { height, width } = scene.size;
  const rows = height - (scene.prefix?.height ?? 0);
  const finished: Statistics[] = [];
  const group = Symbol("scene");
  yield* channel<DrawingEvent>(async (emit, signal) => {
    const admitted = admission(emit);
    const one = async (imageIndex: number, signal: AbortSignal) => {
      const chanceAt = keyedChance({ seed: scene.seed, stream: imageIndex });
      const halfway = halfways[imageIndex];
      const policy = drawingPolicy(
        model.vocabulary,
        { ...scene, chanceAt, halfway },
        (row) => {
          const halfway = () => policy.halfway;
          emit({ type: "row", imageIndex, row, halfway });
        },
      );
      const given = promptRows({ ...scene, halfway });
      const request = {
        prompts: halfway === undefined
          ? prompts
          : await drawingPrompts(writer, {
            ...scene,
            prefix: firstRows(policy.grid, given),
          }),
        policy,
        // The last code and the EOL after it are not fed.
        maxNewTokens: (height - given) * (width + 1) - 2,
        long: true,
        group,
        caller,
        ...admitted,
      };
      finished.push(await model.engine.run(request, signal));
      emit({ type: "grid", imageIndex, grid: policy.grid });
    };
    await allOrNone(scene.count, one, signal);
  }, signal);
  const promptTokens = prompts.reduce(
    (sum, { tokens }) => sum + tokens.length,
    0,
  );
  yield {
    type: "finished",
    usage: {
      promptTokens,
      newTokens: scene.count * (rows * (width + 1) + 3),
    },
    statistics: together(finished),
  };
}

/** The prompt of a question. */
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
 * Answers `question`: first that it is queued and started, then its text as it
 * comes, never half a character, then the end.
 *
 * @param caller On whose behalf it waits; see {@linkcode EngineRequest}.
 * @throws {PromptTooLongError} When the context leaves no room for an answer.
 * @throws {CacheTooSmallError} When the memory leaves none.
 * @throws {OverloadedError} When the queue is full.
 */
export async function* answer(
  model: LanguageModel,
  question: Question,
  signal: AbortSignal,
  caller?: string,
): AsyncGenerator<AnswerEvent, void, undefined> {
  const { engine, text, vocabulary } = model;
  requireRoomFor(question.grids, model.config.maxPositions);
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
  const said = new AnswerText(text.stream({ skipSpecial: true }), question);
  let whole = "";
  let policy: AnsweringPolicy | undefined;
  let statistics: Statistics | undefined;
  yield* channel<AnswerEvent>(async (emit, signal) => {
    const say = (part: string) => {
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
      say(said.push(token));
      if (said.ended) policy!.stop();
    });
    const request = {
      prompts: [prompt],
      maxNewTokens: maxTokens - 1,
      long: false,
      policy,
      caller,
      ...admission(emit),
    };
    statistics = await engine.run(request, signal);
    say(said.finish());
  }, signal);
  yield {
    type: "finished",
    text: whole,
    finishReason: policy!.finishReason,
    usage: { promptTokens: length, newTokens: policy!.count },
    statistics: statistics!,
  };
}

/** The prompts of a scene as the engine takes them. */
async function drawingPrompts(
  model: PromptWriter,
  scene: PromptedParams,
): Promise<Prompt[]> {
  const { tokens, unconditional } = await drawingTokens(model, scene);
  return [tokens, unconditional]
    .filter((tokens) => tokens !== undefined)
    .map((tokens) => sharedBeforeRows(tokens, scene));
}

/** A prompt that others may share up to the rows that are given, and with them. */
function sharedBeforeRows(
  tokens: Int32Array<ArrayBuffer>,
  { prefix, size }: PromptedParams,
): Prompt {
  const rows = (prefix?.height ?? 0) * (size.width + 1);
  const cuts = [tokens.length - rows, tokens.length];
  return { tokens, cuts: rows === 0 ? cuts.slice(1) : cuts };
}

/** Tells of the first queueing and the first start, of however many runs. */
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

/** Statistics of pictures drawn side by side. */
function together(all: readonly Statistics[]): Statistics {
  const longest = (of: (one: Statistics) => number) => Math.max(...all.map(of));
  return {
    queueMs: longest(({ queueMs }) => queueMs),
    prefillMs: longest(({ prefillMs }) => prefillMs),
    decodeMs: longest(({ decodeMs }) => decodeMs),
    forwards: all.reduce((sum, { forwards }) => sum + forwards, 0),
  };
}
