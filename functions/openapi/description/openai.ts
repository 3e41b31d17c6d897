/**
 * The descriptions of the routes of OpenAI's clients.
 *
 * @module
 */

import * as v from "valibot";
import { ChatRequest } from "../../compat/openai/chat_request.ts";
import { ImageRequest } from "../../compat/openai/images/image_request.ts";
import { ChatAnswer, ImagesAnswer } from "../../schema/answers/openai.ts";
import {
  BODY_PROBLEMS,
  bytes,
  describe,
  header,
  json,
  MODEL_PROBLEMS,
} from "./describe.ts";
import { eventStream } from "./events.ts";
import { PICTURE } from "./examples.ts";
import { mayBeJob } from "./jobs.ts";

const TIMING = {
  "Server-Timing": header("How long each part took.", "string", false),
};

/** The problems of these routes: unlike functions, they ignore `Accept`. */
const PROBLEMS = MODEL_PROBLEMS.filter((code) => code !== "not-acceptable");

/** The description of `/v1/images/generations`. */
export const imagesDescription = describe(mayBeJob({
  id: "createImages",
  tag: "openai",
  summary: "Draw pictures of a sentence",
  text:
    "Of size the ratio counts; the area is the model's, and the answer says what became of it. With stream the answer is events, with as many partial pictures as asked for. Unknown fields are ignored.",
  body: json(
    v.pipe(ImageRequest, v.metadata({ ref: "ImagesRequest" })),
    {
      examples: {
        picture: {
          summary: "A picture",
          value: { prompt: "three apples", seed: 11 },
        },
        stream: {
          summary: "Events, one picture on the way",
          value: {
            prompt: "three apples",
            size: "1024x768",
            stream: true,
            "partial_images": 1,
          },
        },
      },
    },
  ),
  answers: {
    200: {
      description: "Pictures",
      content: { ...json(ImagesAnswer), ...eventStream("ImagesEvent") },
      headers: TIMING,
      links: {
        tokenize: {
          operationId: "tokenize",
          description: "The picture, as codes.",
          requestBody: { image: "$response.body#/data/0/b64_json" },
        },
      },
    },
  },
  problems: [
    ...BODY_PROBLEMS,
    ...PROBLEMS,
    "prompt-too-long",
    "cache-too-small",
  ],
}));

/** The description of `/v1/pictures/:name`. */
export const keptPictureDescription = describe({
  id: "getPicture",
  tag: "openai",
  summary: "A picture that was drawn",
  text:
    "What response_format url leads to, for as long as jobs are kept. The name is all that is needed: no key.",
  open: true,
  answers: {
    200: {
      description: "The file",
      content: bytes("image/png", "image/jpeg", "image/webp"),
    },
  },
  problems: ["not-found"],
});

/** The description of `/v1/chat/completions`. */
export const chatDescription = describe(mayBeJob({
  id: "createChatCompletion",
  tag: "openai",
  summary: "Answer a question, with pictures or without",
  text:
    "The question is the text of the user's last message, after what system and developer say; the pictures are those that the user showed last. Without any, a model with the capability text_only answers the text alone; another one refuses with picture-required. With stream the answer is events. Unknown fields are ignored.",
  body: json(
    v.pipe(ChatRequest, v.metadata({ ref: "ChatRequest" })),
    {
      examples: {
        question: {
          summary: "A question about a picture",
          value: { messages: [asked()], "max_tokens": 16 },
        },
        stream: {
          summary: "Events, the last with how much was worked",
          value: {
            messages: [asked()],
            "max_tokens": 16,
            stream: true,
            "stream_options": { "include_usage": true },
          },
        },
      },
    },
  ),
  answers: {
    200: {
      description: "An answer",
      content: { ...json(ChatAnswer), ...eventStream("ChatEvent") },
      headers: TIMING,
      links: {
        tokens: {
          operationId: "tokenize",
          description: "The text, as tokens.",
          requestBody: { text: "$response.body#/choices/0/message/content" },
        },
      },
    },
  },
  problems: [
    ...BODY_PROBLEMS,
    ...PROBLEMS,
    "image-too-large",
    "unreadable-image",
    "image-size",
    "picture-required",
    "prompt-too-long",
    "cache-too-small",
  ],
}));

function asked() {
  const url = PICTURE;
  return {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", "image_url": { url } },
    ],
  };
}
