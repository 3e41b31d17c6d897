/**
 * The scoring of a given picture or answer under the model.
 *
 * ```text
 * scorePicture   text, codes → prompt → tokens → log-probability per code
 * scoreAnswer    codes, question, text → prompt → tokens → log-probability per token
 * scoreLabels    tokens, labels → log-probability per label, as in tuning
 * ```
 *
 * Every token is given (teacher forcing), so that one forward pass scores many.
 * A code is scored among codes, with guidance as in drawing; the tokens of an
 * answer and the final EOS are scored among the whole vocabulary. Temperature,
 * top-k and top-p do not apply: they affect the sampling, not the model's
 * distribution.
 *
 * @module
 */

import { writtenAnswer } from "./answering/answer_text.ts";
import type { GenerationParams, Question, Usage } from "./emu3.ts";
import { drawnLength, rowsAsTokens } from "./drawing/token_layout.ts";
import { drawingLayout, drawingPrompts } from "./drawing_prompt.ts";
import type { EngineRequest, Prompt, Statistics } from "./engine/sequence.ts";
import type { CodeGrid } from "./grid.ts";
import type { LanguageModel } from "./language_model.ts";
import type { TokenScore } from "./sampling/log_probabilities.ts";
import {
  questionPrompt,
  requireGridsFit,
  requireTokensFit,
  writerFor,
} from "./prompt.ts";
import {
  type Given,
  scoringChunk,
  type ScoringOptions,
  ScoringPolicy,
} from "./scoring_policy.ts";
import { NO_LABEL, type TuningSequence } from "./tuning/sequence.ts";
import { codeFromToken, isCode } from "./vocabulary.ts";

/** A picture and the prompt that it is scored for. */
export interface ScoredPicture extends
  Pick<
    GenerationParams,
    "prompt" | "negativePrompt" | "guidanceScale" | "clip"
  > {
  /** Codes of the picture, or of all frames of a clip, from the top. */
  readonly grid: CodeGrid;
  /**
   * Number of the most probable codes to record at each position; 0 for none.
   */
  readonly strongest?: number;
}

/** An answer and its question. */
export interface ScoredAnswer
  extends Pick<Question, "grids" | "question" | "template"> {
  /** The answer, used verbatim. */
  readonly text: string;
}

/** The scores of a picture or an answer. */
export interface Score {
  /** Natural logarithms: one for each code, or for each token and EOS. */
  readonly logprobs: readonly number[];
  /**
   * Scores, one for each code, if the most probable codes are recorded; else
   * empty.
   */
  readonly scores: readonly TokenScore[];
  /** Number of tokens used. */
  readonly usage: Usage;
  /** Statistics of the run. */
  readonly statistics: Statistics;
}

/** The options of a scoring run: its caller in the queue, and its adapter. */
export type ScoringTurn = Pick<
  EngineRequest,
  "caller" | "onQueued" | "adapter"
>;

/** A scoring run. */
interface Task extends Omit<ScoringOptions, "chunk"> {
  readonly prompts: readonly Prompt[];
  readonly given: Given;
  /** Number of tokens that the head scores. */
  readonly headRows: number;
  readonly long: boolean;
  readonly turn: ScoringTurn;
}

/**
 * Scores the codes of a picture, row by row.
 *
 * @param turn The caller and the adapter; see {@linkcode EngineRequest}.
 * @throws {PromptTooLongError} If prompt and picture exceed the context.
 * @throws {CacheTooSmallError} If they exceed the memory.
 * @throws {OverloadedError} If the queue is full.
 */
export async function scorePicture(
  model: LanguageModel,
  { grid, strongest = 0, ...picture }: ScoredPicture,
  signal: AbortSignal,
  turn: ScoringTurn = {},
): Promise<Score> {
  const { vocabulary } = model;
  const params = { ...picture, size: grid, prefix: undefined };
  const writer = writerFor(model, { caller: turn.caller, signal });
  const layout = await drawingLayout(writer, params);
  const length = drawnLength(layout, grid, 0);
  requireTokensFit(length + layout.endLength - 1, model.config.maxPositions);
  const prompts = await drawingPrompts(writer, params);
  // Without what is forced at the end, since no token is scored after it.
  const rows = rowsAsTokens(layout, grid, vocabulary).slice(0, length);
  const choices = rows.map((token) =>
    isCode(vocabulary, token) ? codeFromToken(vocabulary, token) : -1
  );
  return await score(model, {
    prompts,
    given: { tokens: rows, choices },
    head: "codes",
    headRows: vocabulary.codebookSize,
    guidanceScale: picture.guidanceScale,
    strongest,
    long: true,
    turn,
  }, signal);
}

/**
 * Scores the tokens of an answer and the EOS after them; throws the same errors
 * as {@linkcode scorePicture}.
 */
export async function scoreAnswer(
  model: LanguageModel,
  { grids, question, template, text }: ScoredAnswer,
  signal: AbortSignal,
  turn: ScoringTurn = {},
): Promise<Score> {
  requireGridsFit(grids, model.config.maxPositions);
  const writer = writerFor(model, { caller: turn.caller, signal });
  const prompt = await questionPrompt(writer, grids, question, template);
  const answer = await writer.text.encode(writtenAnswer(text, template));
  const tokens = Int32Array.from([...answer, model.vocabulary.eos]);
  return await score(model, {
    prompts: [prompt],
    given: { tokens, choices: tokens },
    head: "vocabulary",
    headRows: model.config.vocabularySize,
    guidanceScale: 1,
    long: false,
    turn,
  }, signal);
}

/**
 * Scores the labels of a training sequence among the whole vocabulary, codes as
 * well: their mean with the sign turned is its loss. Throws as
 * {@linkcode scorePicture} does.
 */
export async function scoreLabels(
  model: LanguageModel,
  { tokens, labels }: Pick<TuningSequence, "tokens" | "labels">,
  signal: AbortSignal,
  turn: ScoringTurn = {},
): Promise<Score> {
  const first = labels.findIndex((label) => label !== NO_LABEL);
  const end = labels.findLastIndex((label) => label !== NO_LABEL) + 1;
  const choices = labels.slice(first, end)
    .map((label) => label === NO_LABEL ? -1 : label);
  return await score(model, {
    prompts: [{ tokens: tokens.slice(0, first), prefixBoundaries: [first] }],
    given: { tokens: tokens.slice(first, end), choices },
    head: "vocabulary",
    headRows: model.config.vocabularySize,
    guidanceScale: 1,
    long: true,
    turn,
  }, signal);
}

async function score(
  { engine }: LanguageModel,
  { prompts, given, headRows, long, turn, ...options }: Task,
  signal: AbortSignal,
): Promise<Score> {
  const chunk = scoringChunk(headRows, prompts.length);
  const policy = new ScoringPolicy(given, { ...options, chunk });
  const statistics = await engine.run({
    prompts,
    policy,
    long,
    ...turn,
    maxNewTokens: given.tokens.length - 1,
    tokensPerRun: chunk,
  }, signal);
  return {
    logprobs: policy.logprobs,
    scores: policy.scores,
    usage: {
      promptTokens: prompts.reduce((sum, { tokens }) => sum + tokens.length, 0),
      newTokens: given.tokens.length,
    },
    statistics,
  };
}
