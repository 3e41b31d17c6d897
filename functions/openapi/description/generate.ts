/**
 * The description of `POST /v1/generate`.
 *
 * @module
 */

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

/** The description of the route. */
export const generateDescription = describeFunction({
  id: "generate",
  tag: "functions",
  summary: "Draw pictures of a sentence",
  text:
    "The same fields and seed give the same codes, whatever else is running. Accept chooses between JSON, one PNG or JPEG, codes alone, and events row by row. Closing the connection stops the model within a step.",
  body: json(GenerateBody, {
    examples: {
      picture: {
        summary: "One picture",
        value: { prompt: "a rocket above a tree", seed: 11 },
      },
      small: {
        summary: "A small one, with what the model believed",
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
        summary: "Two, given their first row",
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
        summary: "Drawn around codes that stay",
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
      description: "Pictures",
      content: {
        ...json(GenerateAnswer),
        ...bytes(
          "image/png",
          "image/jpeg",
          "image/webp",
          "application/octet-stream",
          "application/x-npy",
        ),
        ...eventStream("GenerateEvent"),
      },
      headers: {
        "Server-Timing": header("How long each part took.", "string", false),
        "X-Seed": header("The seed, beside files and codes.", "integer", false),
        "X-Grid-Frames": header(
          "Pictures, where codes of several come in one file.",
          "integer",
          false,
        ),
        "X-Grid-Height": header("Rows of codes.", "integer", false),
        "X-Grid-Width": header("Codes a row.", "integer", false),
      },
      links: {
        detokenize: {
          operationId: "detokenize",
          description: "The codes, as pixels.",
          requestBody: { grid: "$response.body#/images/0/grid" },
        },
        caption: {
          operationId: "caption",
          description: "What the picture shows.",
          requestBody: {
            grid: "$response.body#/images/0/grid",
            question: "How many objects are there?",
          },
        },
        score: {
          operationId: "score",
          description: "How likely the picture is.",
          requestBody: {
            grid: "$response.body#/images/0/grid",
            prompt: "$request.body#/prompt",
            rows: true,
          },
        },
        tokenize: {
          operationId: "tokenize",
          description: "The picture, as codes.",
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
    "prompt-too-long",
    "cache-too-small",
  ],
});
