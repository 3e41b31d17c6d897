/**
 * The description of `POST /v1/score`.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { FunctionName } from "../../schema/common.ts";
import { ScoreAnswer } from "../../schema/answers/score.ts";
import { scoreBody } from "../../schema/bodies_score.ts";
import { MAX_PICTURES } from "../../schema/caption.ts";
import { ScoreRequest } from "../../schema/score.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { form, GRID, GRID_HEADERS, PICTURE, queryFields } from "./fields.ts";
import { describeFunction } from "./jobs.ts";

/** Fields that may be in a form or a query. */
const FIELDS = [
  "prompt",
  "negative_prompt",
  "guidance_scale",
  "rows",
  "logprobs",
  "question",
  "text",
  "template",
  "decode",
  "model",
  "adapter",
];

const OF_PICTURE = {
  picture: {
    summary: "An image, row by row",
    value: {
      image: PICTURE,
      prompt: "a red dot on yellow",
      rows: true,
      logprobs: 2,
    },
  },
};

const OF_ANSWER = {
  answer: {
    summary: "An answer",
    value: { grid: GRID, question: "What is this?", text: "A dot." },
  },
};

/** Returns the description of the route on a server with `functions`. */
export function scoreDescription(
  functions: ReadonlySet<FunctionName>,
): MiddlewareHandler {
  return describeFunction({
    id: "score",
    tag: "functions",
    summary: "Score an image, a clip or an answer",
    text:
      "Computes the log-likelihood of an image or a clip given prompt, or of an answer in text given images and a question. Clips need a model with the capability clips. Nothing is generated.",
    parameters: [
      ...queryFields(ScoreRequest.entries, FIELDS),
      ...GRID_HEADERS,
    ],
    body: {
      ...json(scoreBody(functions), {
        examples: {
          ...functions.has("generate") ? OF_PICTURE : {},
          ...functions.has("caption") ? OF_ANSWER : {},
        },
      }),
      ...form(ScoreRequest.entries, FIELDS, { files: { image: MAX_PICTURES } }),
      ...bytes(
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "application/octet-stream",
        "application/x-npy",
      ),
    },
    answers: {
      200: {
        description: "The likelihood",
        content: json(ScoreAnswer),
        headers: {
          "Server-Timing": header("Duration of each phase.", "string", false),
        },
      },
    },
    problems: [
      ...BODY_PROBLEMS,
      ...MODEL_PROBLEMS,
      "not-found",
      "unknown-adapter",
      "image-too-large",
      "unreadable-image",
      "image-size",
      "malformed-grid",
      "prompt-too-long",
      "cache-too-small",
    ],
  });
}
