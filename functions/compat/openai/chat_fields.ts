/**
 * The answer in OpenAI's format: whole, or as the chunks of a stream.
 *
 * @module
 */

import type {
  CaptioningProgress,
  CaptioningRun,
} from "../../inference/captioning.ts";
import type { WireEvent } from "../../http/call.ts";
import type { AnswerOf, CaptionAnswer } from "../../schema/answers/answers.ts";
import type { ChatAnswer, ChatChunk } from "../../schema/answers/openai.ts";

/** The fields of an answer. */
type Answer = AnswerOf<typeof ChatAnswer>;

/** The fields of a chunk that differ from those of others. */
type ChunkFields = Pick<AnswerOf<typeof ChatChunk>, "choices" | "usage">;

type Choice = ChunkFields["choices"][number];

/** The fields that all chunks of an answer share. */
export interface ChatFrame {
  /** Time of the request, in seconds of Unix time. */
  readonly created: number;
  /** True if the last chunk holds the token usage. */
  readonly includeUsage: boolean;
}

/** The data of the last event of a stream. */
export const CHAT_END = "[DONE]";

/** Returns the whole answer. */
export function chatAnswer(
  answered: CaptionAnswer,
  { created }: ChatFrame,
): Answer {
  const message = {
    role: "assistant",
    content: answered.text,
    refusal: null,
  } as const;
  return {
    id: answered.id,
    object: "chat.completion",
    created,
    model: answered.model,
    choices: [{
      index: 0,
      message,
      logprobs: null,
      "finish_reason": answered.finish_reason,
    }],
    usage: usageFields(answered),
  };
}

/**
 * Yields the chunks of a stream; undefined for progress that OpenAI has none
 * for.
 */
export async function* chatChunks(
  run: Pick<CaptioningRun, "id" | "model" | "progress">,
  frame: ChatFrame,
): AsyncGenerator<WireEvent | undefined, void, undefined> {
  const chunk = (more: ChunkFields): WireEvent => {
    const data: AnswerOf<typeof ChatChunk> = {
      id: run.id,
      object: "chat.completion.chunk",
      created: frame.created,
      model: run.model,
      ...(frame.includeUsage && { usage: null }),
      ...more,
    };
    return { event: "", data };
  };
  for await (const step of run.progress) {
    yield* chunksOf(step, frame).map((more) => more && chunk(more));
  }
}

function chunksOf(
  step: CaptioningProgress,
  { includeUsage }: ChatFrame,
): (ChunkFields | undefined)[] {
  switch (step.type) {
    case "queued":
      return [choice({ role: "assistant", content: "" }, null)];
    case "started":
      return [undefined];
    case "delta":
      return [choice({ content: step.text }, null)];
    case "completed": {
      const { answered } = step;
      const end = choice({}, answered.finish_reason);
      const usage = { choices: [], usage: usageFields(answered) };
      return includeUsage ? [end, usage] : [end];
    }
  }
}

function choice(
  delta: Choice["delta"],
  finishReason: Choice["finish_reason"],
): ChunkFields {
  const one: Choice = {
    index: 0,
    delta,
    logprobs: null,
    "finish_reason": finishReason,
  };
  return { choices: [one] };
}

function usageFields({ usage }: CaptionAnswer): Answer["usage"] {
  return {
    "prompt_tokens": usage.prompt_tokens,
    "completion_tokens": usage.completion_tokens,
    "total_tokens": usage.prompt_tokens + usage.completion_tokens,
  };
}
