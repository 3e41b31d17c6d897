/**
 * The description of `POST /v1/detokenize`.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { DetokenizeAnswer } from "../../schema/answers/codes.ts";
import { DetokenizeBody } from "../../schema/bodies.ts";
import { DetokenizeRequest } from "../../schema/detokenize.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { GRID } from "./examples.ts";
import { CLIP_HEADERS, queryFields } from "./fields.ts";

/**
 * Returns the description of the route.
 *
 * @param videos True if clips may become MP4.
 */
export function detokenizeDescription(videos: boolean): MiddlewareHandler {
  return describeFunction({
    id: "detokenize",
    tag: "functions",
    summary: "Turn codes into pictures, tokens into text",
    text:
      "A grid becomes a PNG, a JPEG or JSON; a clip an APNG, a GIF, a zip of PNGs, JSON or, where ffmpeg is installed, an MP4; tokens become JSON. Accept chooses.",
    parameters: [
      ...queryFields(DetokenizeRequest.entries, ["model"]),
      ...CLIP_HEADERS,
    ],
    body: {
      ...json(DetokenizeBody, {
        examples: {
          picture: { summary: "A picture", value: { grid: GRID } },
          clip: {
            summary: "A clip",
            value: { clip: { codes: [GRID.codes, GRID.codes] } },
          },
          tokens: { summary: "Text", value: { tokens: [64, 65, 66] } },
        },
      }),
      ...bytes("application/octet-stream", "application/x-npy"),
    },
    answers: {
      200: {
        description: "A picture, a clip, or what tokens spell",
        content: {
          ...bytes(
            "image/png",
            "image/jpeg",
            "image/webp",
            "image/apng",
            "image/gif",
            "application/zip",
            ...(videos ? ["video/mp4"] : []),
          ),
          ...json(DetokenizeAnswer),
        },
        headers: {
          "Server-Timing": header("How long it took.", "string", false),
        },
        links: {
          tokenize: {
            operationId: "tokenize",
            description: "The picture, back as codes.",
            requestBody: { image: "$response.body#/b64_json" },
          },
          caption: {
            operationId: "caption",
            description: "What the picture shows.",
            requestBody: { image: "$response.body#/b64_json", "max_tokens": 8 },
          },
        },
      },
    },
    problems: [
      ...BODY_PROBLEMS,
      ...MODEL_PROBLEMS,
      "image-too-large",
      "malformed-grid",
    ],
  });
}
