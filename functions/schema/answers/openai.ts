/**
 * The answers in OpenAI's format.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";

const Created = v.pipe(Count, v.description("Unix time in seconds."));

const Size = v.pipe(v.string(), v.description('Size of the image, "WxH".'));

const Base64 = v.pipe(v.string(), v.description("File in base64."));

const ImagesUsage = v.strictObject({
  "input_tokens": Count,
  "input_tokens_details": v.strictObject({
    "image_tokens": Count,
    "text_tokens": Count,
  }),
  "output_tokens": Count,
  "output_tokens_details": v.strictObject({
    "image_tokens": Count,
    "text_tokens": Count,
  }),
  "total_tokens": Count,
});

const FILE_ENTRIES = {
  background: v.literal("opaque"),
  "output_format": v.picklist(["png", "jpeg", "webp"]),
  size: Size,
};

/** The schema of generated pictures. */
export const ImagesAnswer = v.pipe(
  v.strictObject({
    created: Created,
    ...FILE_ENTRIES,
    data: v.array(
      v.strictObject({
        "b64_json": v.optional(Base64),
        url: v.optional(
          v.pipe(
            v.string(),
            v.description("URL of the image, for response_format url."),
          ),
        ),
      }),
    ),
    usage: ImagesUsage,
    model: v.pipe(
      v.string(),
      v.description("Model of the images. Extension of the OpenAI API."),
    ),
    seed: v.pipe(
      Count,
      v.description(
        "Seed that reproduces the images. Extension of the OpenAI API.",
      ),
    ),
  }),
  v.metadata({ ref: "ImagesAnswer" }),
);

const IMAGE_EVENT_ENTRIES = {
  ...FILE_ENTRIES,
  "b64_json": Base64,
  "created_at": Created,
  quality: v.literal("auto"),
};

/** The event data of a generation by event name. */
export const IMAGE_EVENTS = {
  "image_generation.partial_image": v.strictObject({
    type: v.literal("image_generation.partial_image"),
    ...IMAGE_EVENT_ENTRIES,
    "partial_image_index": Count,
  }),
  "image_generation.completed": v.strictObject({
    type: v.literal("image_generation.completed"),
    ...IMAGE_EVENT_ENTRIES,
    usage: ImagesUsage,
  }),
};

const ChatUsage = v.strictObject({
  "prompt_tokens": Count,
  "completion_tokens": Count,
  "total_tokens": Count,
});

const FinishReason = v.picklist(["stop", "length"]);

/** The schema of an answer in a conversation. */
export const ChatAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    object: v.literal("chat.completion"),
    created: Created,
    model: v.string(),
    choices: v.array(v.strictObject({
      index: v.literal(0),
      message: v.strictObject({
        role: v.literal("assistant"),
        content: v.string(),
        refusal: v.null(),
      }),
      logprobs: v.null(),
      "finish_reason": FinishReason,
    })),
    usage: ChatUsage,
  }),
  v.metadata({ ref: "ChatAnswer" }),
);

/** The schema of a chunk of one: data of events without a name. */
export const ChatChunk = v.pipe(
  v.strictObject({
    id: v.string(),
    object: v.literal("chat.completion.chunk"),
    created: Created,
    model: v.string(),
    choices: v.array(v.strictObject({
      index: v.literal(0),
      delta: v.strictObject({
        role: v.optional(v.literal("assistant")),
        content: v.optional(v.string()),
      }),
      logprobs: v.null(),
      "finish_reason": v.nullable(FinishReason),
    })),
    usage: v.optional(
      v.pipe(
        v.nullable(ChatUsage),
        v.description(
          "Usage in the last chunk, if stream_options.include_usage is set.",
        ),
      ),
    ),
  }),
);
