/**
 * The question of a conversation, as OpenAI's clients send them.
 *
 * Emu3 answers one question. Of a conversation that is the text of the user's
 * last turn, and the pictures of the user's last turn that has any, so that a
 * later question is about the earlier pictures; without any it is a question of
 * text alone. Earlier questions and answers are omitted. The text of system and
 * developer precedes the question, unless it is the model's own system prompt:
 * a model that was trained with that prompt alone gives no answer without it.
 *
 * @module
 */

import * as v from "valibot";
import { SYSTEM } from "../../../lib/prompt.ts";
import { MAX_TEXT } from "../../http/body_limits.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { DEFAULT_QUESTION, MAX_PICTURES } from "../../schema/caption.ts";
import type { QuestionPicture } from "./chat_parts.ts";

/** Maximum turns of a conversation. */
export const MAX_TURNS = 1024;

/** Maximum parts of a turn. */
export const MAX_PARTS = 64;

/** Maximum tools that a request lists, none of which are called. */
export const MAX_TOOLS = 128;

/** Default maximum of an answer's tokens. */
export const DEFAULT_MAX_TOKENS = 1024;

/** The schema of the maximum of an answer's tokens. */
export const TokenCount = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(1_000_000),
  v.description("Maximum number of output tokens, limited by the context."),
);

/** One turn of a conversation. */
export interface Turn {
  /** Role: `user`, `assistant`, `system` or `developer`; others are ignored. */
  readonly role: string;
  /** Text of all parts. */
  readonly text: string;
  /** Pictures of all parts. */
  readonly pictures: readonly QuestionPicture[];
}

/** The question of a conversation. */
export interface ConversationQuestion {
  /** Instructions and question. */
  readonly question: string;
  /** Pictures; empty for a question of text alone. */
  readonly pictures: readonly QuestionPicture[];
}

/**
 * Returns the question of the conversation.
 *
 * @param pointer JSON pointer to the turns.
 * @throws {InvalidFieldsError} If the question is missing or too long.
 */
export function conversationQuestion(
  turns: readonly Turn[],
  pointer: string,
): ConversationQuestion {
  const last = turns.findLast(({ role }) => role === "user");
  const pictures = shownLast(turns);
  const instructions = turns
    .filter(({ role }) => role === "system" || role === "developer")
    .map(({ text }) => text)
    .filter((text) => text.trim() !== "" && text.trim() !== SYSTEM);
  if (last === undefined && instructions.length === 0) {
    throw invalidField(
      pointer,
      "expected at least one message with the role user",
    );
  }
  if (last?.text.trim() === "" && pictures.length === 0) {
    throw invalidField(pointer, "expected a question or an image");
  }
  // Clients that request a title send only a system message.
  const questions = last === undefined ? [] : [last.text || DEFAULT_QUESTION];
  const texts = [...instructions, ...questions];
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0);
  if (length > MAX_TEXT + 1) {
    throw invalidField(
      pointer,
      `expected at most ${MAX_TEXT} characters in the instructions and the question together`,
    );
  }
  return { question: texts.join("\n"), pictures };
}

function shownLast(turns: readonly Turn[]): readonly QuestionPicture[] {
  const shown = turns.findLast(({ role, pictures }) =>
    role === "user" && pictures.length > 0
  );
  const pictures = shown?.pictures ?? [];
  const extra = pictures[MAX_PICTURES];
  if (extra !== undefined) {
    throw invalidField(
      extra.pointer,
      `expected at most ${MAX_PICTURES} images in a message`,
    );
  }
  return pictures;
}
