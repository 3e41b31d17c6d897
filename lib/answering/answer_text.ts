/**
 * The streamed text of an answer: without the space that the template puts
 * before it, up to a stop text.
 *
 * ```text
 * tokens ─▶ text ─▶ (the template's space) ─▶ stop ─▶ output
 * ```
 *
 * @module
 */

import type { Template } from "../../models/config/generation_config.ts";
import { answerSeparator } from "../prompt.ts";
import { StopText } from "./stop_text.ts";
import type { TextStream } from "../text/text_stream.ts";

/** Options of {@linkcode AnswerText}. */
export interface AnswerTextOptions {
  /** The template of the question. */
  readonly template: Template;
  /** Texts before which the answer ends; none is empty. */
  readonly stop: readonly string[];
}

/** Decodes the tokens of an answer into text, one after the other. */
export class AnswerText {
  readonly #stream: TextStream;
  readonly #stops: StopText;
  readonly #separator: string;
  #begun = false;

  /** Creates the text of an answer, before its first token. */
  constructor(stream: TextStream, { template, stop }: AnswerTextOptions) {
    this.#stream = stream;
    this.#stops = new StopText(stop);
    this.#separator = answerSeparator(template);
  }

  /** True once a stop text was found; nothing is returned after it. */
  get ended(): boolean {
    return this.#stops.ended;
  }

  /**
   * Returns the text that `token` adds and that cannot be part of a stop text.
   */
  push(token: number): string {
    return this.#stops.push(this.#trimmed(this.#stream.push([token])));
  }

  /** Returns the rest of the text, after the last token. */
  finish(): string {
    const rest = this.#trimmed(this.#stream.finish());
    return this.#stops.push(rest) + this.#stops.finish();
  }

  #trimmed(part: string): string {
    if (this.#begun || part === "") return part;
    this.#begun = true;
    return part.startsWith(this.#separator)
      ? part.slice(this.#separator.length)
      : part;
  }
}

/** Returns an answer's text as a model writes it after a question. */
export function writtenAnswer(text: string, template: Template): string {
  const separator = answerSeparator(template);
  return text === "" || text.startsWith(separator) ? text : separator + text;
}
