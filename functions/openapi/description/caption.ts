/**
 * The description of `POST /v1/caption`.
 *
 * @module
 */

import { CaptionAnswer } from "../../schema/answers/answers.ts";
import { CaptionBody } from "../../schema/bodies.ts";
import { CaptionRequest, MAX_PICTURES } from "../../schema/caption.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { eventStream } from "./events.ts";
import { form, GRID, GRID_HEADERS, PICTURE, queryFields } from "./fields.ts";

/** Fields that may be in a form or a query. */
const FIELDS = [
  "question",
  "max_tokens",
  "temperature",
  "top_k",
  "top_p",
  "seed",
  "template",
  "video_frames",
  "start",
  "end",
  "decode",
  "model",
  "adapter",
];

/** The description of the route. */
export const captionDescription = describeFunction({
  id: "caption",
  tag: "functions",
  summary: "Answer a question about images",
  text:
    "Answers a question about one or more images, or describes them without a question. Images are sent in JSON, in a form, as raw bytes, or as codes of an earlier response. With ffmpeg on the server a video is accepted, too: the question is then about some of its frames, evenly spaced. Fields may also be query parameters, but not in two places at once.",
  parameters: [
    ...queryFields(CaptionRequest.entries, FIELDS),
    ...GRID_HEADERS,
  ],
  body: {
    ...json(CaptionBody, {
      examples: {
        picture: {
          summary: "An image",
          value: { image: PICTURE, "max_tokens": 16 },
        },
        codes: {
          summary: "Codes and a question",
          value: {
            grid: GRID,
            question: "How many objects are there?",
            "max_tokens": 16,
          },
        },
      },
    }),
    ...form(CaptionRequest.entries, FIELDS, { files: { image: MAX_PICTURES } }),
    ...bytes(
      "image/png",
      "image/jpeg",
      "image/webp",
      "image/gif",
      "video/mp4",
      "video/webm",
      "video/quicktime",
      "application/octet-stream",
      "application/x-npy",
    ),
  },
  answers: {
    200: {
      description: "Text",
      content: {
        ...json(CaptionAnswer),
        "text/plain": { schema: { type: "string" } },
        ...eventStream("CaptionEvent"),
      },
      headers: {
        "Server-Timing": header("Duration of each phase.", "string", false),
      },
      links: {
        tokens: {
          operationId: "tokenize",
          description: "Encodes the text as tokens.",
          requestBody: { text: "$response.body#/text" },
        },
      },
    },
  },
  problems: [
    ...BODY_PROBLEMS,
    ...MODEL_PROBLEMS,
    "unknown-adapter",
    "image-too-large",
    "unreadable-image",
    "image-size",
    "malformed-grid",
    "prompt-too-long",
    "cache-too-small",
  ],
});
