/**
 * The description of `POST /v1/generate`.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { GenerateAnswer } from "../../schema/answers/answers.ts";
import { GenerateBody } from "../../schema/bodies.ts";
import {
  BODY_PROBLEMS,
  bytes,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { describeFunction } from "./jobs.ts";
import { eventStream } from "./events.ts";

const TEXT = `
Generates images or clips from a prompt. The same fields and seed give the same codes, independent of concurrent requests. The Accept header selects JSON, a single file, codes only, or events for each row. Closing the connection stops the generation within one step.

With frames above 1, the answer is a clip. Models with the capability clips draw them, others answer 422. clip or context holds the first frames; the rest is generated after them. A file is an APNG, GIF, ZIP of PNGs or, if ffmpeg is installed, MP4; codes have the shape [T, H, W]. The events of a clip are started, row, frame after the last row of each frame, clip, and completed.
`.trim();

/**
 * Returns the description of the route.
 *
 * @param videos True if clips may become MP4.
 */
export function generateDescription(videos: boolean): MiddlewareHandler {
  return describeFunction({
    id: "generate",
    tag: "functions",
    summary: "Generate images or clips from a prompt",
    text: TEXT,
    body: json(GenerateBody, {
      examples: {
        picture: {
          summary: "One image",
          value: { prompt: "a rocket above a tree", seed: 11 },
        },
        small: {
          summary: "A small image with log probabilities",
          value: {
            prompt: "three apples",
            height: 32,
            width: 64,
            "guidance_scale": 1,
            temperature: 0,
            logprobs: 2,
          },
        },
        several: {
          summary: "Two images that continue a given first row",
          value: {
            prompt: "a cat on a blue background",
            height: 24,
            width: 24,
            n: 2,
            seed: 1,
            prefix: { codes: [[1, 2, 3]] },
          },
        },
        around: {
          summary: "An image around kept codes (inpainting)",
          value: {
            prompt: "a cat on a blue background",
            seed: 1,
            keep: { codes: [[1, 2, 3], [4, null, null], [7, null, 9]] },
          },
        },
      },
    }),
    answers: {
      200: {
        description: "Images or clips",
        content: {
          ...json(GenerateAnswer),
          ...bytes(
            "image/png",
            "image/jpeg",
            "image/webp",
            "image/apng",
            "image/gif",
            "application/zip",
            ...(videos ? ["video/mp4"] : []),
            "application/octet-stream",
            "application/x-npy",
          ),
          ...eventStream("GenerateEvent"),
        },
        headers: {
          "Server-Timing": header("Duration of each phase.", "string", false),
          "X-Seed": header("Seed of files and codes.", "integer", false),
          "X-Grid-Frames": header(
            "Number of images, if one file has the codes of several, or of frames of codes of a clip.",
            "integer",
            false,
          ),
          "X-Grid-Frames-Per-Code": header(
            "1 if each frame of a clip's codes is a still.",
            "integer",
            false,
          ),
          "X-Grid-Height": header("Number of rows of codes.", "integer", false),
          "X-Grid-Width": header("Number of codes per row.", "integer", false),
        },
        links: {
          detokenize: {
            operationId: "detokenize",
            description: "Decodes the codes to pixels.",
            requestBody: { grid: "$response.body#/images/0/grid" },
          },
          caption: {
            operationId: "caption",
            description: "Describes the image.",
            requestBody: {
              grid: "$response.body#/images/0/grid",
              question: "How many objects are there?",
            },
          },
          score: {
            operationId: "score",
            description: "Computes the likelihood of the image.",
            requestBody: {
              grid: "$response.body#/images/0/grid",
              prompt: "$request.body#/prompt",
              rows: true,
            },
          },
          tokenize: {
            operationId: "tokenize",
            description: "Encodes the image as codes.",
            requestBody: { image: "$response.body#/images/0/b64_json" },
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
      "cache-too-small",
    ],
  });
}
