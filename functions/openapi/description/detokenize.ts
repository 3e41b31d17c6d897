/**
 * The description of `POST /v1/detokenize`.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { DetokenizeAnswer } from "../../schema/answers/codes.ts";
import { DetokenizeBody } from "../../schema/bodies.ts";
import { BesideBytes } from "../../schema/detokenize.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { CLIP_HEADERS, GRID, queryFields } from "./fields.ts";

/**
 * Returns the description of the route.
 *
 * @param videos True if clips may become MP4.
 */
export function detokenizeDescription(videos: boolean): MiddlewareHandler {
  return describeFunction({
    id: "detokenize",
    tag: "functions",
    summary: "Decode codes to images, or tokens to text",
    text:
      "Decodes a grid to a PNG, JPEG, WebP or JSON, a clip to an APNG, GIF, ZIP of PNGs, JSON or, if ffmpeg is installed, MP4, and tokens to JSON. The Accept header selects the format.",
    parameters: [
      ...queryFields(BesideBytes.entries, ["model", "frames_per_code"]),
      ...CLIP_HEADERS,
    ],
    body: {
      ...json(DetokenizeBody, {
        examples: {
          picture: { summary: "An image", value: { grid: GRID } },
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
        description: "An image, a clip, or decoded tokens",
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
          "Server-Timing": header("Duration of the request.", "string", false),
        },
        links: {
          tokenize: {
            operationId: "tokenize",
            description: "Encodes the image as codes again.",
            requestBody: { image: "$response.body#/b64_json" },
          },
          caption: {
            operationId: "caption",
            description: "Describes the image.",
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
