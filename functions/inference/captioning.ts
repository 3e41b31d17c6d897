/**
 * An answer that is under way, from fields to events.
 *
 * @module
 */

import { answer, type AnswerEvent, type Question } from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import { checkAdapter } from "./adapters.ts";
import { asSent, type Call, observed } from "../http/call.ts";
import type { WireEvent } from "../http/sse.ts";
import { gridFields } from "../http/grid_json.ts";
import type { Answerers, ModelPair } from "../models/ports.ts";
import { randomSeed } from "./generation_params.ts";
import type { CaptionRequest } from "../schema/caption.ts";
import { type Timings, timingsFrom } from "../http/server_timing.ts";
import { answerUnderWay } from "../shutdown/in_flight.ts";

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

/** What happens on the way. */
export type AnswerProgress =
  | Extract<AnswerEvent, { type: "queued" | "delta" }>
  | { readonly type: "started"; readonly id: string }
  | { readonly type: "completed"; readonly answered: AnswerFields };

/** An answer that is under way. */
export interface AnswerRun {
  /** Of the answer. */
  readonly id: string;
  /** Name of the language model. */
  readonly model: string;
  /** What happens; the last event is `completed`. */
  readonly progress: AsyncGenerator<AnswerProgress, void, undefined>;
  /** The same, as it is sent. One of these is listened to, or `finish` called. */
  readonly events: AsyncGenerator<WireEvent, void, undefined>;
  /** Lets it happen. */
  readonly finish: () => Promise<AnswerFields>;
}

/** How a question is put; its pictures aside. */
export type QuestionFields =
  & Pick<
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
  >
  & {
    /** Texts before which the answer ends; none when left out. */
    readonly stop?: readonly string[] | undefined;
  };

/** What a question is about, and how long it took to become codes. */
export interface AskedGrids {
  /** None for a question of text alone. */
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
  const { seed } = question;
  const asked = { ...askedFields(fields), grids: grids.map(gridFields), seed };
  call.inFlight?.(answerUnderWay(asked, seed));
  const walk = answer(models.language, question, call.signal, call.caller);
  const progress = observed(call, answerSteps(run, walk, call), wireEvent);
  const finish = async () => {
    for await (const step of progress) {
      if (step.type === "completed") return step.answered;
    }
    throw new TypeError("the answer broke off");
  };
  const { id, model } = run;
  return { id, model, progress, events: asSent(progress, wireEvent), finish };
}

/** How the question is put, and nothing of how its pictures came. */
function askedFields(fields: QuestionFields): Record<string, unknown> {
  return {
    question: fields.question,
    "max_tokens": fields.max_tokens,
    temperature: fields.temperature,
    "top_k": fields.top_k,
    "top_p": fields.top_p,
    template: fields.template,
    model: fields.model,
    adapter: fields.adapter,
  };
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
    stop: fields.stop ?? [],
    sampling: {
      temperature: fields.temperature,
      topK: fields.top_k ?? generation.topK,
      topP: fields.top_p ?? generation.topP,
    },
    seed: fields.seed ?? call.seed ?? randomSeed(),
  };
}

async function* answerSteps(
  run: {
    readonly id: string;
    readonly model: string;
    readonly visionMs: number;
  },
  walk: AsyncGenerator<AnswerEvent, void, undefined>,
  call: Call,
): AsyncGenerator<AnswerProgress, void, undefined> {
  for await (const event of walk) {
    switch (event.type) {
      case "queued":
      case "delta":
        yield event;
        break;
      case "started":
        yield { type: "started", id: run.id };
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
        call.note?.(usage.newTokens);
        // Pictures become codes before the question waits.
        const { vision_s: vision, ...later } = answered.timings;
        call.timed?.(run.model, { "vision_s": vision, ...later });
        yield { type: "completed", answered };
        break;
      }
      default:
        event satisfies never;
    }
  }
}

function wireEvent(step: AnswerProgress): WireEvent {
  switch (step.type) {
    case "queued":
      return { event: "queued", data: { position: step.position } };
    case "started":
      return { event: "started", data: { id: step.id } };
    case "delta":
      return { event: "delta", data: { text: step.text } };
    case "completed":
      return { event: "completed", data: step.answered };
  }
}
