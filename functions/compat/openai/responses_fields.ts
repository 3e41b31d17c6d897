/**
 * The answer in the format of OpenAI's Responses API: the response, and the
 * events of a stream.
 *
 * ```text
 * queued      response.created
 * started     response.in_progress, output_item.added, content_part.added
 * delta       output_text.delta
 * completed   output_text.done, content_part.done, output_item.done,
 *             response.completed or response.incomplete
 * ```
 *
 * @module
 */

import type { CaptioningRun } from "../../inference/captioning.ts";
import type { AnswerOf, CaptionAnswer } from "../../schema/answers/answers.ts";
import type { ResponseAnswer } from "../../schema/answers/responses.ts";
import {
  MESSAGE_ID_PREFIX,
  type ResponsesRequest,
} from "./responses_request.ts";
import { unixSeconds } from "./schema.ts";
import type { WireEvent } from "../../http/call.ts";

/** The fields of an event of a stream. */
type Fields = Readonly<Record<string, unknown>>;

/** The fields of a response. */
type Answer = AnswerOf<typeof ResponseAnswer>;

type Message = Answer["output"][number];

/** The id and model of a run. */
type NamedRun = Pick<CaptioningRun, "id" | "model">;

/** The fields that all events of a response share. */
export interface ResponseFrame {
  /** Creation time, in seconds of Unix time. */
  readonly created: number;
  /** Request, of which the response repeats many fields. */
  readonly request: ResponsesRequest;
}

/** Returns the whole response. */
export function responseAnswer(
  answered: CaptionAnswer,
  frame: ResponseFrame,
): Answer {
  const status = statusOf(answered);
  return {
    ...responseFields(answered, frame, status),
    "completed_at": unixSeconds(),
    ...(status === "incomplete" && {
      "incomplete_details": { reason: "max_output_tokens" },
    }),
    output: [messageFields(answered, status, [textPart(answered.text)])],
    usage: usageFields(answered),
  };
}

/** Yields the events of a stream, each with its sequence number. */
export async function* responseEvents(
  run: Pick<CaptioningRun, "id" | "model" | "progress">,
  frame: ResponseFrame,
): AsyncGenerator<WireEvent, void, undefined> {
  let sequence = 0;
  const event = (type: string, fields: Fields): WireEvent => ({
    event: type,
    data: { type, "sequence_number": sequence++, ...fields },
  });
  const state = (type: string, response: Answer) =>
    event(`response.${type}`, { response });
  const item = (type: string, item: Message) =>
    event(`response.output_item.${type}`, { "output_index": 0, item });
  const place = {
    "item_id": messageId(run),
    "output_index": 0,
    "content_index": 0,
  };
  const part = (type: string, part: Message["content"][number]) =>
    event(`response.content_part.${type}`, { ...place, part });
  const text = (type: string, fields: Fields) =>
    event(`response.output_text.${type}`, {
      ...place,
      ...fields,
      logprobs: [],
    });
  const begun = responseFields(run, frame, "in_progress");
  for await (const step of run.progress) {
    switch (step.type) {
      case "queued":
        yield state("created", begun);
        break;
      case "started":
        yield state("in_progress", begun);
        yield item("added", messageFields(run, "in_progress", []));
        yield part("added", textPart(""));
        break;
      case "delta":
        yield text("delta", { delta: step.text });
        break;
      case "completed": {
        const { answered } = step;
        const status = statusOf(answered);
        const whole = textPart(answered.text);
        yield text("done", { text: answered.text });
        yield part("done", whole);
        yield item("done", messageFields(run, status, [whole]));
        yield state(status, responseAnswer(answered, frame));
      }
    }
  }
}

/** Returns the fields of a response without output. */
function responseFields(
  run: NamedRun,
  { created, request }: ResponseFrame,
  status: Answer["status"],
): Answer {
  return {
    id: `resp_${run.id}`,
    object: "response",
    "created_at": created,
    "completed_at": null,
    status,
    background: false,
    error: null,
    "incomplete_details": null,
    instructions: request.instructions ?? null,
    "max_output_tokens": request.max_output_tokens ?? null,
    metadata: request.metadata,
    model: run.model,
    output: [],
    "parallel_tool_calls": false,
    "previous_response_id": null,
    reasoning: { effort: null, summary: null },
    "service_tier": "default",
    store: false,
    temperature: request.temperature,
    text: { format: { type: "text" } },
    "tool_choice": "auto",
    tools: [],
    "top_p": request.top_p ?? null,
    truncation: "disabled",
    usage: null,
    user: null,
  };
}

function messageFields(
  run: NamedRun,
  status: Message["status"],
  content: Message["content"],
): Message {
  return {
    id: messageId(run),
    type: "message",
    role: "assistant",
    status,
    content,
  };
}

function messageId({ id }: NamedRun): string {
  return `${MESSAGE_ID_PREFIX}${id}`;
}

function textPart(text: string): Message["content"][number] {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function statusOf(answered: CaptionAnswer): "completed" | "incomplete" {
  return answered.finish_reason === "length" ? "incomplete" : "completed";
}

function usageFields({ usage }: CaptionAnswer): NonNullable<Answer["usage"]> {
  return {
    "input_tokens": usage.prompt_tokens,
    "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
    "output_tokens": usage.completion_tokens,
    "output_tokens_details": { "reasoning_tokens": 0 },
    "total_tokens": usage.prompt_tokens + usage.completion_tokens,
  };
}
