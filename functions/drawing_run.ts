/**
 * A drawing that is under way, from fields to events.
 *
 * @module
 */

import { checkAdapter } from "./adapters.ts";
import { type Call, observed } from "./call.ts";
import { drawingFields, imageFields, rowFields } from "./drawing_fields.ts";
import {
  type Drawing,
  type DrawingProgress,
  type DrawingTask,
  type FileType,
  walkDrawing,
} from "./drawing_walk.ts";
import type { WireEvent } from "./events.ts";
import { checkGridSize } from "./picture_limit.ts";
import type { Drawers } from "./ports.ts";
import { sceneFrom } from "./scene.ts";
import type { GenerateRequest } from "./schema/generate.ts";

/** A drawing that is under way. */
export interface DrawingRun {
  /** Of the answer. */
  readonly id: string;
  /** What is drawn, with what. */
  readonly task: DrawingTask;
  /** What happens; the last event is `completed`. */
  readonly events: AsyncGenerator<WireEvent, void, undefined>;
  /** Lets it happen. */
  readonly finish: () => Promise<Drawing>;
}

/** What is to be made of it. */
export interface WantedFile {
  /** Undefined for codes alone, which never meet the vision decoder. */
  readonly file: FileType | undefined;
  /** Whether rows come with the picture so far. */
  readonly preview: boolean;
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
  const scene = sceneFrom({ ...request, seed }, models);
  if (wanted.file !== undefined) {
    checkGridSize(scene.size, models.vision, drawers.limits);
  }
  const task: DrawingTask = {
    scene,
    models,
    ...wanted,
    metadata: request.metadata,
    halfways: call.halfways ?? [],
  };
  const id = call.id ?? `gen-${crypto.randomUUID()}`;
  const progress = walkDrawing(task, drawers.codec, call.signal);
  let drawing: Drawing | undefined;
  const events = observed(
    call,
    wireEvents({ id, task }, kept(call, progress), (done) => {
      drawing = done;
      call.note?.(done.newTokens);
    }),
  );
  const finish = async () => {
    while (!(await events.next()).done);
    if (drawing === undefined) throw new TypeError("the drawing broke off");
    return drawing;
  };
  return { id, task, events, finish };
}

/** Lets `call` keep what it takes to go on, before it hears of a row. */
async function* kept(
  call: Call,
  progress: AsyncGenerator<DrawingProgress, void, undefined>,
): AsyncGenerator<DrawingProgress, void, undefined> {
  for await (const event of progress) {
    if (event.type === "row") call.keep?.(event.imageIndex, event.halfway());
    yield event;
  }
}

async function* wireEvents(
  run: Pick<DrawingRun, "id" | "task">,
  progress: AsyncGenerator<DrawingProgress, void, undefined>,
  onDone: (drawing: Drawing) => void,
): AsyncGenerator<WireEvent, void, undefined> {
  const { scene: { seed, size, count, prefix } } = run.task;
  for await (const event of progress) {
    switch (event.type) {
      case "queued":
        yield { event: "queued", data: { position: event.position } };
        break;
      case "started":
        yield {
          event: "started",
          data: {
            id: run.id,
            seed,
            n: count,
            rows: size.height - (prefix?.height ?? 0),
            grid: { height: size.height, width: size.width },
          },
        };
        break;
      case "row":
        yield { event: "row", data: rowFields(event) };
        break;
      case "image": {
        const { imageIndex } = event.picture;
        const fields = imageFields(event.picture);
        const data = { "image_index": imageIndex, ...fields };
        yield { event: "image", data };
        break;
      }
      case "completed":
        onDone(event.drawing);
        yield { event: "completed", data: drawingFields(run, event.drawing) };
        break;
      default:
        event satisfies never;
    }
  }
}
