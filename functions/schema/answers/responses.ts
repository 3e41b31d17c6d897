/**
 * The answers in the format of OpenAI's Responses API.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";

const Status = v.picklist(["in_progress", "completed", "incomplete"]);

const TextPart = v.strictObject({
  type: v.literal("output_text"),
  text: v.string(),
  annotations: v.array(v.never()),
  logprobs: v.array(v.never()),
});

const Message = v.pipe(
  v.strictObject({
    id: v.string(),
    type: v.literal("message"),
    role: v.literal("assistant"),
    status: Status,
    content: v.array(TextPart),
  }),
  v.metadata({ ref: "ResponseMessage" }),
);

const Usage = v.strictObject({
  "input_tokens": Count,
  "input_tokens_details": v.strictObject({
    "cached_tokens": Count,
    "cache_write_tokens": Count,
  }),
  "output_tokens": Count,
  "output_tokens_details": v.strictObject({ "reasoning_tokens": Count }),
  "total_tokens": Count,
});

const UnixTime = v.pipe(Count, v.description("Unix time in seconds."));

/** The schema of an answer, whole or begun. */
export const ResponseAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    object: v.literal("response"),
    "created_at": UnixTime,
    "completed_at": v.nullable(UnixTime),
    status: Status,
    background: v.literal(false),
    error: v.null(),
    "incomplete_details": v.nullable(
      v.strictObject({ reason: v.literal("max_output_tokens") }),
    ),
    instructions: v.nullable(v.string()),
    "max_output_tokens": v.nullable(Count),
    metadata: v.record(v.string(), v.unknown()),
    model: v.string(),
    output: v.array(Message),
    "parallel_tool_calls": v.literal(false),
    "previous_response_id": v.null(),
    reasoning: v.strictObject({ effort: v.null(), summary: v.null() }),
    "service_tier": v.literal("default"),
    store: v.literal(false),
    temperature: v.number(),
    text: v.strictObject({
      format: v.strictObject({ type: v.literal("text") }),
    }),
    "tool_choice": v.literal("auto"),
    tools: v.array(v.never()),
    "top_p": v.nullable(v.number()),
    truncation: v.literal("disabled"),
    usage: v.nullable(Usage),
    user: v.null(),
  }),
  v.metadata({ ref: "ResponseAnswer" }),
);

/** Returns the schema of events of one type. */
function event<const E extends v.ObjectEntries>(type: string, entries: E) {
  return v.strictObject({
    type: v.literal(type),
    "sequence_number": Count,
    ...entries,
  });
}

const PLACE = {
  "item_id": v.string(),
  "output_index": v.literal(0),
  "content_index": v.literal(0),
};
const LOGPROBS = { logprobs: v.array(v.never()) };
const STATE = { response: ResponseAnswer };
const ITEM = { "output_index": v.literal(0), item: Message };
const PART = { ...PLACE, part: TextPart };

/** The entries of a stream's events by event name. */
const ENTRIES = {
  "response.created": STATE,
  "response.in_progress": STATE,
  "response.output_item.added": ITEM,
  "response.content_part.added": PART,
  "response.output_text.delta": { ...PLACE, delta: v.string(), ...LOGPROBS },
  "response.output_text.done": { ...PLACE, text: v.string(), ...LOGPROBS },
  "response.content_part.done": PART,
  "response.output_item.done": ITEM,
  "response.completed": STATE,
  "response.incomplete": STATE,
};

/** The data of a stream's events by event name. */
export const RESPONSE_EVENTS: Readonly<Record<string, v.GenericSchema>> = Object
  .fromEntries(
    Object.entries(ENTRIES).map(([type, entries]) => [
      type,
      event(type, entries),
    ]),
  );
