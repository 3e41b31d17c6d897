/**
 * The captioning run: an answer to a question, from fields to events.
 *
 * @module
 */

import { answer, type CaptioningEvent, type Question } from "../../lib/emu3.ts";
import { answeredName, chosenAdapter } from "./adapters.ts";
import {
  type Call,
  type ObservedRun,
  observedRun,
  type WireEvent,
} from "../http/call.ts";
import { gridFields } from "../http/grid_json.ts";
import type { Captioners, ModelPair } from "../models/ports.ts";
import { randomSeed } from "./generation_params.ts";
import type { QuestionGrids } from "./image_inputs.ts";
import type {
  CaptionAnswer,
  CaptionEvents,
} from "../schema/answers/answers.ts";
import type { CaptionRequest } from "../schema/caption.ts";
import { timingsFrom } from "../http/server_timing.ts";
import { captioningInFlight } from "../shutdown/in_flight.ts";

/** A progress event of an answer. */
export type CaptioningProgress =
  | Extract<CaptioningEvent, { type: "queued" | "delta" }>
  | { readonly type: "started"; readonly id: string }
  | { readonly type: "completed"; readonly answered: CaptionAnswer };

/** A running answer. */
export interface CaptioningRun
  extends ObservedRun<CaptioningProgress, CaptionAnswer> {
  /** Id of the answer. */
  readonly id: string;
  /** Name of the language model. */
  readonly model: string;
}

/** The fields of a question without its pictures. */
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
    /** Stop texts, before which the answer ends; none by default. */
    readonly stop?: readonly string[] | undefined;
  };

/**
 * Returns a run that starts once its progress is read.
 *
 * @throws {UnknownModelError} If there is no such model.
 * @throws {UnknownAdapterError} If there is no such adapter.
 */
export function startCaptioning(
  captioners: Captioners,
  fields: QuestionFields,
  { grids, visionMs }: QuestionGrids,
  call: Call,
): CaptioningRun {
  const models = captioners.captioner(fields.model);
  const adapter = chosenAdapter(models, fields.adapter);
  const question = { ...questionFrom(fields, models, call), grids, adapter };
  const run = {
    id: call.id ?? `cap-${crypto.randomUUID()}`,
    model: answeredName(models, adapter),
    visionMs,
  };
  const { seed } = question;
  const request = {
    ...questionFields(fields),
    grids: grids.map(gridFields),
    seed,
  };
  const { observer } = call;
  observer?.inFlight?.(captioningInFlight(request, seed));
  const walk = answer(models.language, question, call.signal, call.caller);
  const observed = observedRun(answerSteps(run, walk), {
    observer,
    observe: (step) => {
      if (step.type !== "completed") return;
      const { usage, timings } = step.answered;
      // Pictures are encoded before the question waits.
      const { vision_s: vision, ...later } = timings;
      observer?.finished?.({
        tokens: usage.completion_tokens,
        timed: {
          model: models.language.name,
          timings: { "vision_s": vision, ...later },
        },
      });
    },
    wire: wireEvent,
    answerOf: (step) => step.type === "completed" ? step.answered : undefined,
  });
  return { id: run.id, model: run.model, ...observed };
}

/** Returns the fields of a question without those of its pictures. */
function questionFields(fields: QuestionFields): Record<string, unknown> {
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

/** Converts wire names to those of `lib`; the checkpoint sets the defaults. */
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
  walk: AsyncGenerator<CaptioningEvent, void, undefined>,
): AsyncGenerator<CaptioningProgress, void, undefined> {
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
        const answered: CaptionAnswer = {
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
        yield { type: "completed", answered };
        break;
      }
      default:
        event satisfies never;
    }
  }
}

function wireEvent(step: CaptioningProgress): WireEvent {
  switch (step.type) {
    case "queued":
      return wireOf("queued", { position: step.position });
    case "started":
      return wireOf("started", { id: step.id });
    case "delta":
      return wireOf("delta", { text: step.text });
    case "completed":
      return wireOf("completed", step.answered);
  }
}

function wireOf<Name extends keyof CaptionEvents>(
  event: Name,
  data: CaptionEvents[Name],
): WireEvent {
  return { event, data };
}
