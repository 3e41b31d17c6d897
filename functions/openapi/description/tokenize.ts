/**
 * The description of `POST /v1/tokenize`.
 *
 * @module
 */

import { TokenizeAnswer } from "../../schema/answers/codes.ts";
import { TokenizeBody } from "../../schema/bodies.ts";
import { DEFAULT_MAX_FRAMES } from "../../inference/frame_limit.ts";
import { MOST_FRAMES } from "../../schema/common.ts";
import { TokenizeRequest } from "../../schema/tokenize.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { form, PICTURE, queryFields } from "./fields.ts";

/** Fields that may be in a form or a query, with a picture. */
const FIELDS = [
  "resize",
  "decode",
  "pad",
  "frames_per_code",
  "fps",
  "start",
  "end",
  "model",
];

/** The description of the route. */
export const tokenizeDescription = describeFunction({
  id: "tokenize",
  tag: "functions",
  summary: "Encode images as codes, or text as tokens",
  text:
    `Encodes an image as a grid of codes, and an animation or a list of frames as a clip, with one grid per group of frames and at most ${DEFAULT_MAX_FRAMES} frames by default (\`limits.max_frames\` of \`GET /v1/models\`). With ffmpeg on the server, a video is an image, too: its frames, or those of a part at a chosen rate, become a clip. Encodes text, a prompt or a question as the input tokens of a model.`,
  parameters: queryFields(TokenizeRequest.entries, FIELDS),
  body: {
    ...json(TokenizeBody, {
      examples: {
        picture: { summary: "An image", value: { image: PICTURE } },
        frames: {
          summary: "A clip",
          value: { frames: [PICTURE, PICTURE], pad: "repeat" },
        },
        text: { summary: "Text", value: { text: "a rocket above a tree" } },
        prompt: {
          summary: "Input tokens of /v1/generate",
          value: { prompt: { prompt: "three apples", ratio: "16:9" } },
        },
        question: {
          summary: "Input tokens of /v1/caption",
          value: { question: "What is this?", image: PICTURE },
        },
      },
    }),
    ...form(TokenizeRequest.entries, FIELDS, {
      files: { image: 1, frames: MOST_FRAMES },
    }),
    ...bytes(
      "image/png",
      "image/jpeg",
      "image/webp",
      "image/gif",
      "video/mp4",
      "video/webm",
      "video/quicktime",
    ),
  },
  answers: {
    200: {
      description: "Codes or tokens",
      content: {
        ...json(TokenizeAnswer),
        ...bytes("application/octet-stream", "application/x-npy"),
      },
      headers: {
        "Server-Timing": header("Duration of the request.", "string", false),
        "X-Grid-Frames": header(
          "Number of frames of codes of a clip.",
          "integer",
          false,
        ),
        "X-Grid-Height": header("Number of rows of codes.", "integer", false),
        "X-Grid-Width": header("Number of codes per row.", "integer", false),
      },
      links: {
        picture: {
          operationId: "detokenize",
          description: "Decodes the codes to pixels.",
          requestBody: { grid: "$response.body#/grid" },
        },
        text: {
          operationId: "detokenize",
          description: "Decodes the tokens to text.",
          requestBody: { tokens: "$response.body#/tokens" },
        },
        caption: {
          operationId: "caption",
          description: "Describes the image of the codes.",
          requestBody: { grid: "$response.body#/grid", "max_tokens": 8 },
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
    "prompt-too-long",
  ],
});
