/**
 * The description of `/v1/responses`.
 *
 * @module
 */

import * as v from "valibot";
import { ResponsesRequest } from "../../compat/openai/responses_request.ts";
import { ResponseAnswer } from "../../schema/answers/responses.ts";
import {
  BODY_PROBLEMS,
  describe,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { eventStream } from "./events.ts";
import { PICTURE } from "./fields.ts";
import { mayBeJob } from "./jobs.ts";

/** The description of `/v1/responses`. */
export const responsesDescription = describe(mayBeJob({
  id: "createResponse",
  tag: "openai",
  summary: "Answer a question (OpenAI Responses API)",
  text:
    "Answers a question like /v1/chat/completions, in the format of the Responses API. Responses are not stored: store is ignored, and previous_response_id, conversation and file_id are refused. Unknown fields are ignored.",
  body: json(
    v.pipe(ResponsesRequest, v.metadata({ ref: "ResponsesRequest" })),
    {
      examples: {
        question: {
          summary: "A question about an image",
          value: { input: [exampleMessage()], "max_output_tokens": 16 },
        },
        stream: {
          summary: "Events",
          value: {
            input: [exampleMessage()],
            "max_output_tokens": 16,
            stream: true,
          },
        },
      },
    },
  ),
  answers: {
    200: {
      description: "An answer",
      content: { ...json(ResponseAnswer), ...eventStream("ResponseEvent") },
      headers: {
        "Server-Timing": header("Duration of each phase.", "string", false),
      },
      links: {
        tokens: {
          operationId: "tokenize",
          description: "Encodes the text as tokens.",
          requestBody: { text: "$response.body#/output/0/content/0/text" },
        },
      },
    },
  },
  problems: [
    ...BODY_PROBLEMS,
    ...MODEL_PROBLEMS.filter((code) => code !== "not-acceptable"),
    "image-too-large",
    "unreadable-image",
    "image-size",
    "picture-required",
    "prompt-too-long",
    "cache-too-small",
  ],
}));

function exampleMessage() {
  return {
    role: "user",
    content: [
      { type: "input_text", text: "What is this?" },
      { type: "input_image", "image_url": PICTURE },
    ],
  };
}
