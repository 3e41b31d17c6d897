/**
 * An answer that is under way, from fields to events.
 *
 * @module
 */

import { answer, type AnswerEvent, type Question } from "../lib/emu3.ts";
import type { CodeGrid } from "../lib/grid.ts";
import { checkAdapter } from "./adapters.ts";
import { type Call, observed } from "./call.ts";
import type { WireEvent } from "./events.ts";
import type { Answerers, ModelPair } from "./ports.ts";
import { randomSeed } from "./scene.ts";
import type { CaptionRequest } from "./schema/caption.ts";
import { type Timings, timingsFrom } from "./timings.ts";

/** An answer, as it stands in JSON. */
export interface AnswerFields {
  /** Of the answer. */
  readonly id: string;
  /** Name of the language model. */
  readonly model: string;
  /** All of it. */
  readonly text: string;
  /** Why it ended. */
  readonly "finish_reason": "stop" | "length";
  /** How much was worked, in tokens. */
  readonly usage: {
    readonly "prompt_tokens": number;
    readonly "completion_tokens": number;
  };
  /** How long it took. */
  readonly timings: Timings;
}

/** An answer that is under way. */
export interface AnswerRun {
  /** Of the answer. */
  readonly id: string;
  /** What happens; the last event is `completed`. */
  readonly events: AsyncGenerator<WireEvent, void, undefined>;
  /** Lets it happen. */
  readonly finish: () => Promise<AnswerFields>;
}

/** How a question is put; its pictures aside. */
export type QuestionFields = Pick<
  CaptionRequest,
  | "question"
  | "max_tokens"
  | "temperature"
  | "top_k"
  | "top_p"
  | "seed"
  | "template"
  | "model"
  | "adapter"
>;

/** What a question is about, and how long it took to become codes. */
export interface AskedGrids {
  /** One or more. */
  readonly grids: readonly CodeGrid[];
  /** In milliseconds. */
  readonly visionMs: number;
}

/**
 * Starts to answer once it is listened to.
 *
 * @throws {UnknownModelError} When there is no such model.
 * @throws {UnknownAdapterError} When there is no such adapter.
 */
export function startAnswer(
  answerers: Answerers,
  fields: QuestionFields,
  { grids, visionMs }: AskedGrids,
  call: Call,
): AnswerRun {
  const models = answerers.answerer(fields.model);
  checkAdapter(fields.adapter);
  const question = { ...questionFrom(fields, models, call), grids };
  const run = {
    id: call.id ?? `cap-${crypto.randomUUID()}`,
    model: models.language.name,
    visionMs,
  };
  let answered: AnswerFields | undefined;
  const progress = answer(models.language, question, call.signal);
  const events = observed(
    call,
    wireEvents(run, progress, (done) => {
      answered = done;
      call.note?.(done.usage.completion_tokens);
    }),
  );
  const finish = async () => {
    while (!(await events.next()).done);
    if (answered === undefined) throw new TypeError("the answer broke off");
    return answered;
  };
  return { id: run.id, events, finish };
}

/** Wire names become ours; what is left open is the checkpoint's to say. */
function questionFrom(
  fields: QuestionFields,
  { language: { generation } }: ModelPair,
  call: Call,
): Omit<Question, "grids"> {
  return {
    question: fields.question,
    template: fields.template ?? generation.template,
    maxTokens: fields.max_tokens,
    sampling: {
      temperature: fields.temperature,
      topK: fields.top_k ?? generation.topK,
      topP: fields.top_p ?? generation.topP,
    },
    seed: fields.seed ?? call.seed ?? randomSeed(),
  };
}

async function* wireEvents(
  run: {
    readonly id: string;
    readonly model: string;
    readonly visionMs: number;
  },
  progress: AsyncGenerator<AnswerEvent, void, undefined>,
  onDone: (answered: AnswerFields) => void,
): AsyncGenerator<WireEvent, void, undefined> {
  for await (const event of progress) {
    switch (event.type) {
      case "queued":
        yield { event: "queued", data: { position: event.position } };
        break;
      case "started":
        yield { event: "started", data: { id: run.id } };
        break;
      case "delta":
        yield { event: "delta", data: { text: event.text } };
        break;
      case "finished": {
        const { text, finishReason, usage, statistics } = event;
        const answered: AnswerFields = {
          id: run.id,
          model: run.model,
          text,
          "finish_reason": finishReason,
          usage: {
            "prompt_tokens": usage.promptTokens,
            "completion_tokens": usage.newTokens,
          },
          timings: timingsFrom(statistics, run.visionMs),
        };
        onDone(answered);
        yield { event: "completed", data: answered };
        break;
      }
      default:
        event satisfies never;
    }
  }
}
