/**
 * `POST /v1/caption`: pictures and a question → text.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { answer, type AnswerEvent, type Question } from "../lib/emu3.ts";
import type { AppEnv } from "./context.ts";
import { eventStream, type WireEvent } from "./events.ts";
import { negotiate } from "./negotiate.ts";
import type { Answerers, ModelPair } from "./ports.ts";
import { checkOneWay, questionGrids } from "./question_pictures.ts";
import { randomSeed } from "./scene.ts";
import { CaptionRequest, MAX_PICTURES } from "./schema/caption.ts";
import { serverTiming, Stopwatch, timingsFrom } from "./timings.ts";
import { readUpload, type Upload } from "./upload.ts";

/** What answers may be, the default first. */
const TYPES = ["application/json", "text/event-stream", "text/plain"] as const;

/** The end of an answer. */
type Answered = Extract<AnswerEvent, { type: "finished" }>;

/** An answer that is under way. */
interface Run {
  readonly id: string;
  readonly model: string;
  readonly visionMs: number;
  readonly events: AsyncGenerator<AnswerEvent, void, undefined>;
}

/** The route, ready to mount. */
export function caption(answerers: Answerers): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/caption", async (c) => {
    const type = negotiate(c.req.header("accept"), TYPES);
    const upload = await readUpload(c.req.raw, CaptionRequest, {
      maxBytes: answerers.limits.maxBodyBytes,
      files: { image: MAX_PICTURES },
      codes: true,
    });
    const run = await begin(c, answerers, upload);
    if (type === "text/event-stream") {
      return await eventStream(c, wireEvents(c, run));
    }
    const answered = await finish(c, run);
    const headers = { "server-timing": serverTiming(timings(run, answered)) };
    return type === "text/plain"
      ? c.text(answered.text, 200, headers)
      : c.json(completed(run, answered), 200, headers);
  });
}

async function begin(
  c: Context<AppEnv>,
  answerers: Answerers,
  upload: Upload<CaptionRequest>,
): Promise<Run> {
  checkOneWay(upload);
  const { signal } = c.var;
  const models = answerers.answerer(upload.fields.model);
  const watch = new Stopwatch();
  const grids = await watch.run(() =>
    questionGrids(c.req.raw, upload, models.vision, answerers, {
      decode: upload.fields.decode,
      signal,
    })
  );
  const question = { ...questionFrom(upload.fields, models), grids };
  return {
    id: `cap-${crypto.randomUUID()}`,
    model: models.language.name,
    visionMs: watch.milliseconds,
    events: answer(models.language, question, signal),
  };
}

/** Wire names become ours; what is left open is the checkpoint's to say. */
function questionFrom(
  fields: CaptionRequest,
  { language: { generation } }: ModelPair,
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
    seed: fields.seed ?? randomSeed(),
  };
}

async function finish(c: Context<AppEnv>, run: Run): Promise<Answered> {
  for await (const event of run.events) {
    if (event.type === "finished") return noted(c, event);
  }
  throw new TypeError("the answer broke off");
}

function noted(c: Context<AppEnv>, answered: Answered): Answered {
  c.set("tokens", answered.usage.newTokens);
  return answered;
}

async function* wireEvents(
  c: Context<AppEnv>,
  run: Run,
): AsyncGenerator<WireEvent, void, undefined> {
  for await (const event of run.events) {
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
      case "finished":
        yield { event: "completed", data: completed(run, noted(c, event)) };
        break;
      default:
        event satisfies never;
    }
  }
}

function completed(run: Run, answered: Answered) {
  const { text, finishReason, usage } = answered;
  return {
    id: run.id,
    model: run.model,
    text,
    "finish_reason": finishReason,
    usage: {
      "prompt_tokens": usage.promptTokens,
      "completion_tokens": usage.newTokens,
    },
    timings: timings(run, answered),
  };
}

function timings({ visionMs }: Run, { statistics }: Answered) {
  return timingsFrom(statistics, visionMs);
}
