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
import { PICTURE } from "./fields.ts";
import { mayBeJob } from "./jobs.ts";

const TIMING = {
  "Server-Timing": header("Duration of each phase.", "string", false),
};

/** The problems of these routes: unlike functions, they ignore `Accept`. */
const PROBLEMS = MODEL_PROBLEMS.filter((code) => code !== "not-acceptable");

/** The description of `/v1/images/generations`. */
export const imagesDescription = describe(mayBeJob({
  id: "createImages",
  tag: "openai",
  summary: "Generate images from a prompt",
  text:
    "Generates images from a prompt. Only the aspect ratio of size is used; the area is that of the model, and the response contains the final size. With stream, the response is a stream of events with the requested number of partial images. Unknown fields are ignored.",
  body: json(
    v.pipe(ImageRequest, v.metadata({ ref: "ImagesRequest" })),
    {
      examples: {
        picture: {
          summary: "An image",
          value: { prompt: "three apples", seed: 11 },
        },
        stream: {
          summary: "A stream with one partial image",
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
      description: "Images",
      content: { ...json(ImagesAnswer), ...eventStream("ImagesEvent") },
      headers: TIMING,
      links: {
        tokenize: {
          operationId: "tokenize",
          description: "Encodes the image as codes.",
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
  summary: "Download a generated image",
  text:
    "Returns the image of a URL in responses with response_format url, as long as jobs are kept. The URL is unguessable and needs no API key.",
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
  summary: "Answer a question, with or without images",
  text:
    "Answers the last message of the user, after the system and developer messages, about the most recent images of the user. Without images, models with the capability text_only answer the text; others fail with picture-required. With stream, the response is a stream of events. Unknown fields are ignored.",
  body: json(
    v.pipe(ChatRequest, v.metadata({ ref: "ChatRequest" })),
    {
      examples: {
        question: {
          summary: "A question about an image",
          value: { messages: [exampleMessage()], "max_tokens": 16 },
        },
        stream: {
          summary: "A stream with usage in the last event",
          value: {
            messages: [exampleMessage()],
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
          description: "Encodes the text as tokens.",
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

function exampleMessage() {
  const url = PICTURE;
  return {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", "image_url": { url } },
    ],
  };
}
