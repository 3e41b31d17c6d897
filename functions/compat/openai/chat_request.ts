/**
 * The body of `POST /v1/chat/completions`, and the question in it.
 *
 * @module
 */

import * as v from "valibot";
import type { QuestionFields } from "../../inference/captioning.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { boundedList } from "../../schema/bounded_list.ts";
import { Template } from "../../schema/caption.ts";
import { ModelName, Temperature, Text, TopK } from "../../schema/common.ts";
import {
  checkPart,
  Part,
  pictureIn,
  type QuestionPicture,
  textIn,
} from "./chat_parts.ts";
import {
  conversationQuestion,
  DEFAULT_MAX_TOKENS,
  MAX_PARTS,
  MAX_TOOLS,
  MAX_TURNS,
  TokenCount,
} from "./conversation.ts";
import type { ParsedQuestion } from "./question_run.ts";
import { seedOf, topPOf, WideSeed, WideTopP } from "./ranges.ts";
import { open } from "./schema.ts";

const Message = v.object({
  role: v.pipe(v.string(), v.maxLength(64)),
  content: open(
    v.union([Text, boundedList(Part, { max: MAX_PARTS })]),
  ),
});
type Message = v.InferOutput<typeof Message>;

const Stop = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

/** The schema of a conversation: OpenAI's fields, and extensions. */
export const ChatRequest = v.object({
  messages: v.pipe(
    boundedList(Message, { min: 1, max: MAX_TURNS }),
    v.description("Messages; the last text of the user is the question."),
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
/** A conversation: OpenAI's fields, and extensions. */
export type ChatRequest = v.InferOutput<typeof ChatRequest>;

/**
 * Returns the question of `request`.
 *
 * @throws {InvalidFieldsError} If there is no question, or the request needs
 * something that Emu3 cannot do.
 */
export function parsedQuestion(request: ChatRequest): ParsedQuestion {
  if (request.tools !== undefined && request.tools.length > 0) {
    throw invalidField(
      "/tools",
      "the model does not support tools; omit this field",
    );
  }
  const { messages } = request;
  const last = messages.findLastIndex(({ role }) => role === "user");
  if (last !== -1) checkParts(messages[last]!, last);
  const turns = messages.map((message, at) => ({
    role: message.role,
    text: textOf(message),
    pictures: picturesOf(message, at),
  }));
  const { question, pictures } = conversationQuestion(turns, "/messages");
  const { stop } = request;
  const fields: QuestionFields = {
    question,
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

function textOf({ content }: Message): string {
  if (typeof content === "string") return content;
  const texts = (content ?? []).flatMap((part) => textIn(part) ?? []);
  return texts.join("\n");
}

function picturesOf({ content }: Message, at: number): QuestionPicture[] {
  if (typeof content === "string" || content === undefined) return [];
  return content.flatMap((part, i) =>
    pictureIn(part, `/messages/${at}/content/${i}`) ?? []
  );
}

/** Refuses parts that would otherwise be ignored. */
function checkParts({ content }: Message, at: number): void {
  if (typeof content === "string" || content === undefined) return;
  for (const [i, part] of content.entries()) {
    checkPart(part, `/messages/${at}/content/${i}`);
  }
}
