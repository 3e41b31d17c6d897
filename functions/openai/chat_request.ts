/**
 * The body of `POST /v1/chat/completions`, and the question in it.
 *
 * Emu3 answers one question about pictures. Of a conversation that is the text
 * of the user's last message, and the pictures of the user's last message that
 * has any, so that a later question is about what was shown before. Earlier
 * questions and answers are left out. What system and developer say stands
 * before the question, unless it is what the model is always told: put in place
 * of that, it leaves a model that never saw anything else without an answer.
 *
 * @module
 */

import * as v from "valibot";
import { SYSTEM } from "../../lib/prompt.ts";
import type { QuestionFields } from "../answer_run.ts";
import { MAX_TEXT } from "../body_limits.ts";
import { invalidField } from "../refusals.ts";
import { boundedList } from "../schema/bounded_list.ts";
import { DEFAULT_QUESTION, MAX_PICTURES, Template } from "../schema/caption.ts";
import { ModelName, Temperature, Text, TopK } from "../schema/common.ts";
import {
  type AskedPicture,
  checkPart,
  Part,
  pictureIn,
  textIn,
} from "./chat_parts.ts";
import { seedOf, topPOf, WideSeed, WideTopP } from "./ranges.ts";
import { open } from "./schema.ts";

/** Messages that a conversation may have. */
const MAX_MESSAGES = 1024;

/** Tools that a request may list, none of which are called. */
const MAX_TOOLS = 128;

/** Parts that a message may have. */
const MAX_PARTS = 64;

/** Tokens of an answer, unless a request says otherwise. */
const DEFAULT_MAX_TOKENS = 1024;

const Message = v.object({
  role: v.pipe(v.string(), v.maxLength(64)),
  content: open(
    v.union([Text, boundedList(Part, { max: MAX_PARTS })]),
  ),
});
type Message = v.InferOutput<typeof Message>;

const TokenCount = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(1_000_000),
  v.description("Cut to what the context leaves."),
);

const Stop = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

/** A conversation, in OpenAI's words, and some of ours. */
export const ChatRequest = v.object({
  messages: v.pipe(
    boundedList(Message, { min: 1, max: MAX_MESSAGES }),
    v.description("The user's last text is the question."),
  ),
  model: open(ModelName),
  "max_completion_tokens": open(TokenCount),
  "max_tokens": open(TokenCount),
  temperature: v.nullish(Temperature, 0),
  "top_k": open(TopK),
  "top_p": open(WideTopP),
  seed: open(WideSeed),
  n: open(v.literal(1)),
  stop: open(v.union([Stop, boundedList(Stop, { max: 4 })])),
  stream: v.nullish(v.boolean(), false),
  "stream_options": open(
    v.object({ "include_usage": v.nullish(v.boolean(), false) }),
  ),
  "response_format": open(v.object({ type: v.literal("text") })),
  tools: open(boundedList(v.unknown(), { max: MAX_TOOLS })),
  template: open(Template),
});
/** A conversation, in OpenAI's words, and some of ours. */
export type ChatRequest = v.InferOutput<typeof ChatRequest>;

/** What is asked in a conversation. */
export interface AskedQuestion {
  /** As `caption` takes it. */
  readonly fields: QuestionFields;
  /** One or more. */
  readonly pictures: readonly AskedPicture[];
}

/**
 * What `request` asks.
 *
 * @throws {InvalidFieldsError} When there is no question or no picture, or
 * something is wanted that Emu3 cannot do.
 */
export function askedQuestion(request: ChatRequest): AskedQuestion {
  if (request.tools !== undefined && request.tools.length > 0) {
    throw invalidField("/tools", "this model calls none, leave them out");
  }
  const { messages } = request;
  const pictures = askedPictures(messages);
  const { stop } = request;
  const fields: QuestionFields = {
    question: questionIn(messages),
    "max_tokens": request.max_completion_tokens ?? request.max_tokens ??
      DEFAULT_MAX_TOKENS,
    temperature: request.temperature,
    "top_k": request.top_k,
    "top_p": topPOf(request.top_p),
    seed: seedOf(request.seed),
    template: request.template,
    model: request.model,
    stop: typeof stop === "string" ? [stop] : stop,
  };
  return { fields, pictures };
}

function questionIn(messages: readonly Message[]): string {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[at];
  if (message === undefined) {
    throw invalidField("/messages", "expected a message of the role user");
  }
  checkParts(message, at);
  const instructions = messages
    .filter(({ role }) => role === "system" || role === "developer")
    .map(textOf)
    .filter((text) => text.trim() !== SYSTEM);
  const question = textOf(message) || DEFAULT_QUESTION;
  const texts = [...instructions, question].filter((text) => text !== "");
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0);
  if (length > MAX_TEXT + 1) {
    throw invalidField(
      "/messages",
      `expected at most ${MAX_TEXT} characters in instructions and question`,
    );
  }
  return texts.join("\n");
}

function textOf({ content }: Message): string {
  if (typeof content === "string") return content;
  const texts = (content ?? []).flatMap((part) => textIn(part) ?? []);
  return texts.join("\n");
}

function askedPictures(messages: readonly Message[]): AskedPicture[] {
  const pictures = messages
    .map((message, at) =>
      message.role === "user" ? picturesOf(message, at) : []
    )
    .findLast((found) => found.length > 0);
  if (pictures === undefined) {
    throw invalidField(
      "/messages",
      "expected a part of the type image_url: this model answers questions about pictures",
    );
  }
  const extra = pictures[MAX_PICTURES];
  if (extra !== undefined) {
    throw invalidField(
      extra.pointer,
      `expected at most ${MAX_PICTURES} pictures in a message`,
    );
  }
  return pictures;
}

function picturesOf({ content }: Message, at: number): AskedPicture[] {
  if (typeof content === "string" || content === undefined) return [];
  return content.flatMap((part, i) =>
    pictureIn(part, `/messages/${at}/content/${i}`) ?? []
  );
}

/** Refuses what would silently not be asked. */
function checkParts({ content }: Message, at: number): void {
  if (typeof content === "string" || content === undefined) return;
  for (const [i, part] of content.entries()) {
    checkPart(part, `/messages/${at}/content/${i}`);
  }
}
