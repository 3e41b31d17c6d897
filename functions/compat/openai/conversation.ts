/**
 * The question of a conversation, as OpenAI's clients send them.
 *
 * Emu3 answers one question. Of a conversation that is the text of the user's
 * last turn, and the pictures of the user's last turn that has any, so that a
 * later question is about what was shown before; without any it is a question of
 * text alone. Earlier questions and answers are left out. What system and
 * developer say stands before the question, unless it is what the model is
 * always told: put in place of that, it leaves a model that never saw anything
 * else without an answer.
 *
 * @module
 */

import { SYSTEM } from "../../../lib/prompt.ts";
import { MAX_TEXT } from "../../http/body_limits.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { DEFAULT_QUESTION, MAX_PICTURES } from "../../schema/caption.ts";
import type { AskedPicture } from "./chat_parts.ts";

/** One turn of a conversation. */
export interface Turn {
  /** `user`, `assistant`, `system` or `developer`; others count for nothing. */
  readonly role: string;
  /** All its text. */
  readonly text: string;
  /** All its pictures. */
  readonly pictures: readonly AskedPicture[];
}

/** The question of a conversation. */
export interface ConversationQuestion {
  /** Instructions and question. */
  readonly question: string;
  /** None for a question of text alone. */
  readonly pictures: readonly AskedPicture[];
}

/**
 * Returns what the conversation asks.
 *
 * @param pointer Of the turns in the body.
 * @throws {InvalidFieldsError} When the user asks nothing, or too much.
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
    throw invalidField(pointer, "expected a message of the role user");
  }
  if (last?.text.trim() === "" && pictures.length === 0) {
    throw invalidField(pointer, "expected a question or a picture");
  }
  // Clients that ask for a title say so as the system, and nothing else.
  const asked = last === undefined ? [] : [last.text || DEFAULT_QUESTION];
  const texts = [...instructions, ...asked];
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0);
  if (length > MAX_TEXT + 1) {
    throw invalidField(
      pointer,
      `expected at most ${MAX_TEXT} characters in instructions and question`,
    );
  }
  return { question: texts.join("\n"), pictures };
}

function shownLast(turns: readonly Turn[]): readonly AskedPicture[] {
  const shown = turns.findLast(({ role, pictures }) =>
    role === "user" && pictures.length > 0
  );
  const pictures = shown?.pictures ?? [];
  const extra = pictures[MAX_PICTURES];
  if (extra !== undefined) {
    throw invalidField(
      extra.pointer,
      `expected at most ${MAX_PICTURES} pictures in a message`,
    );
  }
  return pictures;
}
