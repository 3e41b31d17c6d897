/**
 * A drawing that is under way, from fields to events.
 *
 * @module
 */

import { checkAdapter } from "./adapters.ts";
import { asSent, type Call, observed } from "../http/call.ts";
import { drawingFields, imageFields, rowFields } from "./generation_fields.ts";
import {
  type Drawing,
  type DrawingProgress,
  type DrawingTask,
  type PreviewRows,
  walkDrawing,
} from "./generation_events.ts";
import { checkDrawnSize } from "./drawn_size.ts";
import type { WireEvent } from "../http/sse.ts";
import { checkGridSize } from "./image_limit.ts";
import type { Drawers } from "../models/ports.ts";
import type { FileType } from "./render.ts";
import { generationParams } from "./generation_params.ts";
import type { GenerateRequest } from "../schema/generate.ts";
import { DrawingUnderWay } from "../shutdown/in_flight.ts";

/** A drawing that is under way. */
export interface DrawingRun {
  /** Of the answer. */
  readonly id: string;
  /** What is drawn, with what. */
  readonly task: DrawingTask;
  /** What happens; the last event is `completed`. */
  readonly progress: AsyncGenerator<DrawingProgress, void, undefined>;
  /** The same, as it is sent. One of these is listened to, or `finish` called. */
  readonly events: AsyncGenerator<WireEvent, void, undefined>;
  /** Lets it happen. */
  readonly finish: () => Promise<Drawing>;
}

/** What is to be made of it. */
export interface WantedFile {
  /** Undefined for codes alone, which never meet the vision decoder. */
  readonly file: FileType | undefined;
  /** Which rows come with the picture so far. */
  readonly preview: PreviewRows;
  /** Of JPEGs and WebPs, 1–100; see `FileOptions`. */
  readonly quality?: number | undefined;
}

/**
 * Starts to draw once it is listened to.
 *
 * @throws {InvalidFieldsError} When fields contradict each other.
 * @throws {UnknownModelError} When there is no such model.
 * @throws {UnknownAdapterError} When there is no such adapter.
 */
export function startDrawing(
  drawers: Drawers,
  request: GenerateRequest,
  wanted: WantedFile,
  call: Call,
): DrawingRun {
  const models = drawers.drawer(request.model);
  checkAdapter(request.adapter);
  const seed = request.seed ?? call.seed;
  const scene = generationParams({ ...request, seed }, models);
  checkDrawnSize(request, scene.size, models);
  if (wanted.file !== undefined) {
    checkGridSize(scene.size, models.vision, drawers.limits);
  }
  const task: DrawingTask = {
    scene,
    models,
    ...wanted,
    watched: call.watched,
    metadata: request.metadata,
    halfways: call.halfways ?? [],
  };
  const id = call.id ?? `gen-${crypto.randomUUID()}`;
  const run = { id, task };
  const wire = (event: DrawingProgress) => wireEvent(run, event);
  const inFlight = new DrawingUnderWay({ ...request, seed: scene.seed }, scene);
  call.inFlight?.(inFlight);
  const walk = watched(
    inFlight,
    walkDrawing(task, drawers, call),
  );
  const progress = observed(
    call,
    noted(call, walk, models.language.name),
    wire,
  );
  const finish = async () => {
    for await (const event of progress) {
      if (event.type === "completed") return event.drawing;
    }
    throw new TypeError("the drawing broke off");
  };
  return { id, task, progress, events: asSent(progress, wire), finish };
}

/** Lets `inFlight` know how far it is. */
async function* watched(
  inFlight: DrawingUnderWay,
  progress: AsyncGenerator<DrawingProgress, void, undefined>,
): AsyncGenerator<DrawingProgress, void, undefined> {
  for await (const event of progress) {
    inFlight.note(event);
    yield event;
  }
}

/**
 * Lets `call` keep what it takes to go on, before it hears of a row, and know
 * how much was worked.
 */
async function* noted(
  call: Call,
  progress: AsyncGenerator<DrawingProgress, void, undefined>,
  model: string,
): AsyncGenerator<DrawingProgress, void, undefined> {
  for await (const event of progress) {
    if (event.type === "row") call.keep?.(event.imageIndex, event.halfway());
    if (event.type === "completed") {
      call.note?.(event.drawing.newTokens);
      call.timed?.(model, event.drawing.timings);
    }
    yield event;
  }
}

function wireEvent(
  run: Pick<DrawingRun, "id" | "task">,
  event: DrawingProgress,
): WireEvent {
  const { scene: { seed, size, count, prefix } } = run.task;
  switch (event.type) {
    case "queued":
      return { event: "queued", data: { position: event.position } };
    case "started": {
      const data = {
        id: run.id,
        seed,
        n: count,
        rows: size.height - (prefix?.height ?? 0),
        grid: { height: size.height, width: size.width },
      };
      return { event: "started", data };
    }
    case "row":
      return { event: "row", data: rowFields(event) };
    case "image": {
      const { imageIndex } = event.picture;
      const fields = imageFields(event.picture);
      return { event: "image", data: { "image_index": imageIndex, ...fields } };
    }
    case "completed":
      return { event: "completed", data: drawingFields(run, event.drawing) };
  }
}
