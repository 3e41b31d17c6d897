/**
 * The generation run: pictures of a prompt, from fields to events.
 *
 * @module
 */

import { chosenAdapter } from "./adapters.ts";
import {
  type Call,
  type ObservedRun,
  observedRun,
  type WireEvent,
} from "../http/call.ts";
import {
  clipAnswer,
  frameFields,
  generationFields,
  imageFields,
  rowFields,
} from "./generation_fields.ts";
import {
  type Generation,
  type GenerationProgress,
  runGeneration,
} from "./generation_events.ts";
import type { GenerationTask, WantedFile } from "./generation_task.ts";
import { checkDrawnSize } from "./drawn_size.ts";
import { checkGridSize } from "./image_limit.ts";
import type { ImageGenerators } from "../models/ports.ts";
import { drawnFrameHeight } from "../../lib/clip_layout.ts";
import { checkDrawnClip } from "./clips/clip_params.ts";
import { generationParams } from "./generation_params.ts";
import type { GenerateEvents } from "../schema/answers/answers.ts";
import type { GenerateRequest } from "../schema/generate.ts";
import { GenerationInFlight } from "../shutdown/in_flight.ts";

/** A running generation. */
export interface GenerationRun
  extends ObservedRun<GenerationProgress, Generation> {
  /** Id of the answer. */
  readonly id: string;
  /** Parameters, models and files of the generation. */
  readonly task: GenerationTask;
}

/**
 * Returns a run that starts once its progress is read.
 *
 * @throws {InvalidFieldsError} If fields contradict each other.
 * @throws {UnknownModelError} If there is no such model.
 * @throws {UnknownAdapterError} If there is no such adapter.
 */
export function startGeneration(
  generators: ImageGenerators,
  request: GenerateRequest,
  wanted: WantedFile,
  call: Call,
): GenerationRun {
  const models = generators.imageGenerator(request.model);
  const adapter = chosenAdapter(models, request.adapter);
  const seed = request.seed ?? call.seed;
  const params = {
    ...generationParams({ ...request, seed }, models),
    adapter,
  };
  checkDrawnSize(request, params, models);
  if (params.clip !== undefined) {
    checkDrawnClip(params, wanted, models.vision, generators);
  } else if (wanted.file !== undefined) {
    checkGridSize(params.size, models.vision, generators.limits);
  }
  const task: GenerationTask = {
    params,
    models,
    ...wanted,
    watched: call.watched,
    metadata: request.metadata,
    resumeStates: call.resumeStates ?? [],
  };
  const run = { id: call.id ?? `gen-${crypto.randomUUID()}`, task };
  const { observer } = call;
  const inFlight = new GenerationInFlight(
    { ...request, seed: params.seed },
    params,
  );
  observer?.inFlight?.(inFlight);
  const observe = (event: GenerationProgress) => {
    inFlight.note(event);
    if (event.type === "row") {
      observer?.keep?.(event.imageIndex, event.resumeState());
    } else if (event.type === "completed") {
      const { newTokens: tokens, timings } = event.generation;
      const timed = { model: models.language.name, timings };
      observer?.finished?.({ tokens, timed });
    }
  };
  const observed = observedRun(runGeneration(task, generators, call), {
    observer,
    observe,
    wire: (event) => wireEvent(run, event),
    answerOf: (event) =>
      event.type === "completed" ? event.generation : undefined,
  });
  return { ...run, ...observed };
}

function wireEvent(
  run: Pick<GenerationRun, "id" | "task">,
  event: GenerationProgress,
): WireEvent {
  const { params } = run.task;
  const { seed, size, count, prefix, clip } = params;
  const height = drawnFrameHeight(params);
  switch (event.type) {
    case "queued": {
      const data: GenerateEvents["queued"] = { position: event.position };
      return { event: "queued", data };
    }
    case "started": {
      const data: GenerateEvents["started"] = {
        id: run.id,
        seed,
        n: count,
        rows: size.height - (prefix?.height ?? 0),
        grid: { height, width: size.width },
        ...(clip && {
          frames: clip.frames,
          given: (prefix?.height ?? 0) / height,
          fps: clip.fps,
        }),
      };
      return { event: "started", data };
    }
    case "row":
      return { event: "row", data: rowFields(event, clip && height) };
    case "frame":
      return { event: "frame", data: frameFields(event) };
    case "clip": {
      const { imageIndex } = event.clip;
      const fields = clipAnswer(event.clip, run.task);
      return { event: "clip", data: { "image_index": imageIndex, ...fields } };
    }
    case "image": {
      const { imageIndex } = event.picture;
      const fields = imageFields(event.picture);
      return { event: "image", data: { "image_index": imageIndex, ...fields } };
    }
    case "completed":
      return {
        event: "completed",
        data: generationFields(run, event.generation),
      };
  }
}
