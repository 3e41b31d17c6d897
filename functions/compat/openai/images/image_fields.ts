/**
 * The generation in OpenAI's format: the answer, and the events of a stream.
 *
 * @module
 */

import { answeredName } from "../../../inference/adapters.ts";
import type { GenerationRun } from "../../../inference/generation.ts";
import type {
  Generation,
  GenerationProgress,
} from "../../../inference/generation_events.ts";
import type { PictureFile } from "../../../inference/generation_task.ts";
import type { FileFormat } from "../../../inference/render.ts";
import type { WireEvent } from "../../../http/call.ts";
import type { AnswerOf } from "../../../schema/answers/answers.ts";
import type { ImagesAnswer } from "../../../schema/answers/openai.ts";

/** The fields of an answer. */
type Answer = AnswerOf<typeof ImagesAnswer>;

/** The fields of an event that depend on its kind. */
type EventFields =
  | { readonly "partial_image_index": number }
  | Pick<Answer, "usage">;

/** The fields that all events of a generation share. */
export interface DrawingFrame {
  /** Time of the request, in seconds of Unix time. */
  readonly created: number;
  /** File format of the request. */
  readonly outputFormat: FileFormat;
  /** First part of the names of events; `image_generation` if omitted. */
  readonly kind?: "image_generation" | "image_edit";
}

/** A function that returns the URL of a file. */
export type ToUrl = (file: PictureFile) => string;

/**
 * Returns the whole answer; `model` and `seed` are extensions.
 *
 * @param toUrl Returns the URL of a picture; undefined to send pictures as
 * base64.
 */
export function imagesAnswer(
  { task }: GenerationRun,
  { created, outputFormat }: DrawingFrame,
  generation: Generation,
  toUrl?: ToUrl,
): Answer {
  const files = generation.pictures.map(({ file }) => file!);
  return {
    created,
    background: "opaque",
    data: files.map((file) =>
      toUrl === undefined
        ? { "b64_json": file.bytes.toBase64() }
        : { url: toUrl(file) }
    ),
    "output_format": outputFormat,
    size: sizeOf(files[0]!),
    usage: usageFields(generation.promptTokens, generation.newTokens),
    model: answeredName(task.models, task.params.adapter),
    seed: task.params.seed,
  };
}

/**
 * Yields the events of a stream; undefined for progress that OpenAI has no
 * event for. The prompt is counted with the first picture.
 */
export async function* imageEvents(
  progress: AsyncGenerator<GenerationProgress, void, undefined>,
  frame: DrawingFrame,
): AsyncGenerator<WireEvent | undefined, void, undefined> {
  let partialImages = 0;
  for await (const event of progress) {
    if (event.type === "row" && event.preview !== undefined) {
      yield imageEvent("partial_image", event.preview, frame, {
        "partial_image_index": partialImages++,
      });
    } else if (event.type === "completed") {
      yield* completedEvents(event.generation, frame);
    } else yield undefined;
  }
}

function* completedEvents(
  { pictures, promptTokens, newTokens }: Generation,
  frame: DrawingFrame,
): Generator<WireEvent, void, undefined> {
  for (const { imageIndex, file } of pictures) {
    const prompt = imageIndex === 0 ? promptTokens : 0;
    const usage = usageFields(prompt, newTokens / pictures.length);
    yield imageEvent("completed", file!, frame, { usage });
  }
}

function imageEvent(
  kind: "partial_image" | "completed",
  file: PictureFile,
  { created, outputFormat, kind: family = "image_generation" }: DrawingFrame,
  more: EventFields,
): WireEvent {
  const type = `${family}.${kind}`;
  const data = {
    type,
    "b64_json": file.bytes.toBase64(),
    background: "opaque",
    "created_at": created,
    "output_format": outputFormat,
    quality: "auto",
    size: sizeOf(file),
    ...more,
  };
  return { event: type, data };
}

/** Returns the size in OpenAI's format, width first. */
function sizeOf({ height, width }: PictureFile): string {
  return `${width}x${height}`;
}

function usageFields(
  promptTokens: number,
  imageTokens: number,
): Answer["usage"] {
  return {
    "input_tokens": promptTokens,
    "input_tokens_details": { "image_tokens": 0, "text_tokens": promptTokens },
    "output_tokens": imageTokens,
    "output_tokens_details": { "image_tokens": imageTokens, "text_tokens": 0 },
    "total_tokens": promptTokens + imageTokens,
  };
}
