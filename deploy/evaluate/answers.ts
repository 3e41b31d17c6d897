/**
 * The exact match of answers: each question is answered greedily, and the
 * answer compared with the right ones.
 *
 * @module
 */

import type { Template } from "../../models/config/generation_config.ts";
import { answer } from "../../lib/emu3.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { MeasuredRecord } from "./measured_records.ts";
import { questionLines } from "./question_file.ts";
import { fittedPicture, type PictureTools } from "./reconstruction.ts";

/** A question that was answered. */
export interface AnsweredQuestion {
  /** Place of the question. */
  readonly record: string;
  /** The question. */
  readonly question: string;
  /** Right answers. */
  readonly expected: readonly string[];
  /** Answer of the model. */
  readonly answer: string;
  /** True if it is right. */
  readonly correct: boolean;
}

/** Options of {@linkcode answerRecords}. */
export interface AnswerOptions {
  /** Name of the adapter in the model. */
  readonly adapter: string | undefined;
  /** Template of questions. */
  readonly template: Template;
  /** Maximum tokens of an answer. */
  readonly answerTokens: number;
}

/** Yields the questions of the file at `path`. */
export async function* answerRecords(
  path: string,
  model: LanguageModel,
  tools: PictureTools,
  { adapter, template, answerTokens }: AnswerOptions,
): AsyncGenerator<MeasuredRecord<AnsweredQuestion>> {
  for await (const { place, read } of questionLines(path)) {
    yield {
      record: place,
      measure: async (signal) => {
        const { picture, question, expected } = await read();
        const image = await fittedPicture(tools, picture, signal);
        const grid = await tools.vision.encode(image, signal);
        const events = answer(model, {
          grids: [grid],
          question,
          template,
          adapter,
          maxTokens: answerTokens,
          stop: [],
          sampling: { temperature: 0, topK: 1, topP: 1 },
          seed: 0,
        }, signal);
        const text = await textOf(events);
        const correct = isExactMatch(text, expected);
        return { record: place, question, expected, answer: text, correct };
      },
    };
  }
}

async function textOf(events: ReturnType<typeof answer>): Promise<string> {
  let text = "";
  for await (const event of events) {
    if (event.type === "finished") text = event.text;
  }
  return text.trim();
}

/**
 * Returns true if `text` is one of the answers, ignoring case and surrounding
 * white space.
 */
export function isExactMatch(
  text: string,
  expected: readonly string[],
): boolean {
  const normal = (text: string) => text.normalize("NFC").trim().toLowerCase();
  return expected.some((answer) => normal(answer) === normal(text));
}
