/**
 * The training sequence of a record: its tokens, and the label of each.
 *
 * ```text
 * picture   BOS text BOI H*W IMG code … EOL … EOF EOI      loss on codes
 * answer    BOS … picture … question … answer EOS          loss on answer, EOS
 * ```
 *
 * A label is the token itself, or {@linkcode NO_LABEL} where it gives no loss;
 * a position is trained to predict the label after it. Source:
 * emu3/train/datasets.py of baaivision/Emu3, which pads every sequence;
 * sequences here run alone and have no padding.
 *
 * @module
 */

import type { Template } from "../../models/config/generation_config.ts";
import { writtenAnswer } from "../answering/answer_text.ts";
import { assertCodes, type CodeGrid, gridTokens } from "../grid.ts";
import { drawingPrompt, type PromptWriter, questionPrompt } from "../prompt.ts";
import { isCode } from "../vocabulary.ts";
import type { PreparedRecord } from "./records.ts";
import { TuningError } from "./tuning_error.ts";

/** The label of a token that gives no loss, as in PyTorch. */
export const NO_LABEL: number = -100;

/** A sequence to train on. */
export interface TuningSequence {
  /** Key of its record. */
  readonly key: string;
  /** Tokens, `[S]`. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** Label of each token, `[S]`. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** True if the base's probabilities are learned, in place of the labels. */
  readonly replayed: boolean;
}

/** Options of {@linkcode tuningSequence}. */
export interface SequenceOptions {
  /** Template of questions. */
  readonly template: Template;
  /** The most tokens of a sequence. */
  readonly maxTokens: number;
  /** True if the caption is left out, so that guidance has its other half. */
  readonly withoutText: boolean;
}

/**
 * Returns the sequence of a record: of an answer if it has a question, else of
 * its picture.
 *
 * @throws {TuningError} If the sequence is too long, the answer is missing, or
 * a code is not in the codebook.
 */
export async function tuningSequence(
  writer: PromptWriter,
  record: PreparedRecord,
  options: SequenceOptions,
): Promise<TuningSequence> {
  const grid = gridOf(writer, record);
  const sequence = record.question === undefined
    ? await pictureSequence(writer, record, grid, options)
    : await answerSequence(writer, record, grid, options);
  const { length } = sequence.tokens;
  if (length > options.maxTokens) {
    throw new TuningError(
      `record "${record.key}" has ${length} tokens, ${
        length - options.maxTokens
      } over the limit of ${options.maxTokens}: prepare it as a smaller picture or with a shorter text, or raise --max-tokens`,
    );
  }
  return sequence;
}

async function pictureSequence(
  writer: PromptWriter,
  record: PreparedRecord,
  grid: CodeGrid,
  { withoutText }: SequenceOptions,
): Promise<TuningSequence> {
  const prompt = await drawingPrompt(
    writer,
    withoutText ? "" : record.text,
    grid,
  );
  const picture = gridTokens(grid, writer.vocabulary);
  const labels = picture.map((token) =>
    isCode(writer.vocabulary, token) ? token : NO_LABEL
  );
  return labeled(record, prompt, picture, labels);
}

async function answerSequence(
  writer: PromptWriter,
  record: PreparedRecord,
  grid: CodeGrid,
  { template }: SequenceOptions,
): Promise<TuningSequence> {
  const { key, question = "", answer } = record;
  if (answer === undefined || answer === "") {
    throw new TuningError(
      `record "${key}" has a question and no answer: add one, or leave the record out`,
    );
  }
  const { tokens } = await questionPrompt(writer, [grid], question, template);
  const text = writtenAnswer(answer, template);
  const { eos } = writer.vocabulary;
  const said = Int32Array.from([...await writer.text.encode(text), eos]);
  return labeled(record, tokens, said, said);
}

/** Returns the sequence of a prompt, which gives no loss, and its rest. */
function labeled(
  { key, replayed = false }: PreparedRecord,
  prompt: Int32Array,
  rest: Int32Array,
  restLabels: Int32Array,
): TuningSequence {
  const length = prompt.length + rest.length;
  const tokens = new Int32Array(length);
  tokens.set(prompt);
  tokens.set(rest, prompt.length);
  const labels = new Int32Array(length).fill(NO_LABEL);
  labels.set(restLabels, prompt.length);
  return { key, tokens, labels, replayed };
}

function gridOf(
  { vocabulary }: PromptWriter,
  { key, height, width, codes }: PreparedRecord,
): CodeGrid {
  if (codes.length !== height * width || codes.length === 0) {
    throw new TuningError(
      `record "${key}" has ${codes.length} codes, its size of ${height}×${width} asks for ${
        height * width
      }: prepare it again`,
    );
  }
  try {
    assertCodes(codes, vocabulary.codebookSize);
  } catch (cause) {
    throw new TuningError(
      `record "${key}" does not fit the model: it was prepared with another vision tokenizer`,
      { cause },
    );
  }
  return { height, width, codes: Uint16Array.from(codes) };
}
