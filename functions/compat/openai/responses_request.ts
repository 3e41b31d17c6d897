/**
 * The body of `POST /v1/responses`, and the question in it.
 *
 * Input is a text, or a list of messages as in a conversation; `instructions`
 * are a first system message. Nothing is stored between calls, so fields that
 * refer to an earlier call are refused. References to earlier answers of this
 * server are ignored, as the answers themselves would be.
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
  Part as ChatPart,
  pictureIn,
  type QuestionPicture,
} from "./chat_parts.ts";
import {
  conversationQuestion,
  DEFAULT_MAX_TOKENS,
  MAX_PARTS,
  MAX_TOOLS,
  MAX_TURNS,
  TokenCount,
  type Turn,
} from "./conversation.ts";
import type { ParsedQuestion } from "./question_run.ts";
import { seedOf, topPOf, WideSeed, WideTopP } from "./ranges.ts";
import { open } from "./schema.ts";

/** The prefix of the id of every answer message. */
export const MESSAGE_ID_PREFIX = "msg_";

const Name = v.pipe(v.string(), v.maxLength(64));

const Id = v.pipe(v.string(), v.maxLength(256));

const Part = v.object({ ...ChatPart.entries, "file_id": open(Id) });
type Part = v.InferOutput<typeof Part>;

const Item = v.object({
  type: open(Name),
  id: open(Id),
  role: open(Name),
  content: open(v.union([Text, boundedList(Part, { max: MAX_PARTS })])),
});
type Item = v.InferOutput<typeof Item>;

/** The schema of a question: OpenAI's fields, and extensions. */
export const ResponsesRequest = v.object({
  input: v.pipe(
    v.union([Text, boundedList(Item, { min: 1, max: MAX_TURNS })]),
    v.description(
      "Question, or messages with the question as the last text of the user.",
    ),
  ),
  instructions: open(
    v.pipe(Text, v.description("Instructions, placed before the question.")),
  ),
  model: open(ModelName),
  "max_output_tokens": open(TokenCount),
  temperature: v.nullish(Temperature, 0),
  "top_k": open(TopK),
  "top_p": open(WideTopP),
  seed: open(WideSeed),
  template: open(Template),
  stream: v.nullish(v.boolean(), false),
  store: open(
    v.pipe(v.boolean(), v.description("Ignored; responses are not stored.")),
  ),
  metadata: v.nullish(v.record(v.string(), v.unknown()), {}),
  text: open(
    v.object({ format: open(v.object({ type: v.literal("text") })) }),
  ),
  tools: open(boundedList(v.unknown(), { max: MAX_TOOLS })),
  background: open(v.boolean()),
  "previous_response_id": open(Id),
  conversation: open(v.unknown()),
  prompt: open(v.unknown()),
});
/** A question: OpenAI's fields, and extensions. */
export type ResponsesRequest = v.InferOutput<typeof ResponsesRequest>;

/**
 * Returns the question of `request`.
 *
 * @throws {InvalidFieldsError} If there is no question, or the request needs
 * something that Emu3 or a stateless server cannot do.
 */
export function responsesQuestion(request: ResponsesRequest): ParsedQuestion {
  checkKept(request);
  const { question, pictures } = conversationQuestion(
    turnsOf(request),
    "/input",
  );
  const fields: QuestionFields = {
    question,
    "max_tokens": request.max_output_tokens ?? DEFAULT_MAX_TOKENS,
    temperature: request.temperature,
    "top_k": request.top_k,
    "top_p": topPOf(request.top_p),
    seed: seedOf(request.seed),
    template: request.template,
    model: request.model,
  };
  return { fields, pictures };
}

/** Refuses fields that would otherwise be ignored. */
function checkKept(request: ResponsesRequest): void {
  const whole =
    "responses are not stored; send the whole conversation as input";
  const refused: Readonly<Record<string, string | false>> = {
    tools: (request.tools?.length ?? 0) > 0 &&
      "the model does not support tools; omit this field",
    background: request.background === true &&
      "background mode is not supported; send the header Prefer: respond-async to create a job",
    "previous_response_id": request.previous_response_id !== undefined && whole,
    conversation: request.conversation !== undefined && whole,
    prompt: request.prompt !== undefined &&
      "prompt templates are not supported; send their text as input",
  };
  for (const [name, detail] of Object.entries(refused)) {
    if (detail !== false) throw invalidField(`/${name}`, detail);
  }
}

function turnsOf({ input, instructions }: ResponsesRequest): Turn[] {
  const turns = typeof input === "string"
    ? [{ role: "user", text: input, pictures: [] }]
    : input.flatMap((item, at) => turnsOfItem(item, `/input/${at}`));
  return instructions === undefined
    ? turns
    : [{ role: "system", text: instructions, pictures: [] }, ...turns];
}

function turnsOfItem(
  { type = "message", id, role, content = "" }: Item,
  pointer: string,
): Turn[] {
  switch (type) {
    case "message":
      break;
    // Earlier answers and reasoning are ignored.
    case "reasoning":
      return [];
    case "item_reference":
      if (id?.startsWith(MESSAGE_ID_PREFIX)) return [];
      throw invalidField(
        `${pointer}/id`,
        "items are not stored; send the item itself",
      );
    default:
      throw invalidField(`${pointer}/type`, "expected message");
  }
  if (role === undefined) throw invalidField(`${pointer}/role`, "is required");
  if (typeof content === "string") {
    return [{ role, text: content, pictures: [] }];
  }
  const texts: string[] = [];
  const pictures: QuestionPicture[] = [];
  for (const [i, part] of content.entries()) {
    const where = `${pointer}/content/${i}`;
    const picture = pictureOf(part, where);
    if (picture === undefined) texts.push(textOf(part, role, where));
    else pictures.push(picture);
  }
  return [{ role, text: texts.join("\n"), pictures }];
}

function textOf(part: Part, role: string, pointer: string): string {
  const { type, text } = part;
  // An assistant's refusal is in other parts.
  if (role === "assistant" || type === "output_text") return text ?? "";
  checkPart(part, pointer);
  return text ?? "";
}

function pictureOf(part: Part, pointer: string): QuestionPicture | undefined {
  if (part.type === "input_image" && part.file_id !== undefined) {
    throw invalidField(
      `${pointer}/file_id`,
      "uploaded files are not supported; send image_url with a data URL",
    );
  }
  return pictureIn(part, pointer);
}
