/**
 * The description of `POST /v1/tokenize`.
 *
 * @module
 */

import { TokenizeAnswer } from "../../schema/answers/codes.ts";
import { TokenizeBody } from "../../schema/bodies.ts";
import { DEFAULT_MAX_FRAMES } from "../../inference/frame_limit.ts";
import { MOST_FRAMES, TokenizeRequest } from "../../schema/tokenize.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { PICTURE } from "./examples.ts";
import { form, queryFields } from "./fields.ts";

/** Fields that may stand in a form or a query, with a picture. */
const FIELDS = ["resize", "decode", "pad", "model"];

/** The description of the route. */
export const tokenizeDescription = describeFunction({
  id: "tokenize",
  tag: "functions",
  summary: "Turn pictures into codes, text into tokens",
  text:
    `An animated picture becomes a clip, as do frames: one grid of codes for as many frames as the model joins, of ${DEFAULT_MAX_FRAMES} frames at most unless the server is set otherwise (\`limits.max_frames\` of \`GET /v1/models\`). Text, a prompt and a question become the tokens that a model is fed.`,
  parameters: queryFields(TokenizeRequest.entries, FIELDS),
  body: {
    ...json(TokenizeBody, {
      examples: {
        picture: { summary: "A picture", value: { image: PICTURE } },
        frames: {
          summary: "A clip",
          value: { frames: [PICTURE, PICTURE], pad: "repeat" },
        },
        text: { summary: "Text", value: { text: "a rocket above a tree" } },
        prompt: {
          summary: "What /v1/generate feeds the model",
          value: { prompt: { prompt: "three apples", ratio: "16:9" } },
        },
        question: {
          summary: "What /v1/caption feeds the model",
          value: { question: "What is this?", image: PICTURE },
        },
      },
    }),
    ...form(TokenizeRequest.entries, FIELDS, {
      files: { image: 1, frames: MOST_FRAMES },
    }),
    ...bytes("image/png", "image/jpeg", "image/webp", "image/gif"),
  },
  answers: {
    200: {
      description: "Codes, or tokens",
      content: {
        ...json(TokenizeAnswer),
        ...bytes("application/octet-stream", "application/x-npy"),
      },
      headers: {
        "Server-Timing": header("How long it took.", "string", false),
        "X-Grid-Frames": header(
          "Frames of codes, of a clip.",
          "integer",
          false,
        ),
        "X-Grid-Height": header("Rows of codes.", "integer", false),
        "X-Grid-Width": header("Codes a row.", "integer", false),
      },
      links: {
        picture: {
          operationId: "detokenize",
          description: "The codes, back as pixels.",
          requestBody: { grid: "$response.body#/grid" },
        },
        text: {
          operationId: "detokenize",
          description: "The tokens, back as text.",
          requestBody: { tokens: "$response.body#/tokens" },
        },
        caption: {
          operationId: "caption",
          description: "What the codes show.",
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
