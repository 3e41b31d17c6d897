/**
 * `POST /v1/generate`: text → picture.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { BINARY_TYPES, binaryAnswer, type BinaryType } from "./binary_grid.ts";
import { readJson } from "./body.ts";
import type { AppEnv } from "./context.ts";
import {
  type Drawing,
  type DrawingProgress,
  type DrawingTask,
  type FileType,
  walkDrawing,
} from "./drawing_walk.ts";
import { drawingFields, imageFields, rowFields } from "./drawing_fields.ts";
import { eventStream, type WireEvent } from "./events.ts";
import { negotiate } from "./negotiate.ts";
import { checkGridSize } from "./picture_limit.ts";
import type { Drawers } from "./ports.ts";
import { invalidField } from "./refusals.ts";
import { sceneFrom } from "./scene.ts";
import { GenerateRequest } from "./schema/generate.ts";
import { serverTiming } from "./timings.ts";

/** What answers may be, the default first. */
const TYPES = [
  "application/json",
  "image/png",
  "image/jpeg",
  "text/event-stream",
  ...BINARY_TYPES,
] as const;

/** A drawing that is under way. */
interface Run {
  readonly id: string;
  readonly task: DrawingTask;
  readonly progress: AsyncGenerator<DrawingProgress, void, undefined>;
}

/** The route, ready to mount. */
export function generate(drawers: Drawers): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/generate", async (c) => {
    const type = negotiate(c.req.header("accept"), TYPES);
    const request = await readJson(
      c.req.raw,
      GenerateRequest,
      drawers.limits.maxBodyBytes,
    );
    const run = begin(c, drawers, request, type);
    switch (type) {
      case "text/event-stream":
        return await eventStream(c, wireEvents(c, run));
      case "application/json":
        return await jsonAnswer(c, run);
      case "image/png":
      case "image/jpeg":
        return await fileAnswer(c, run);
      default:
        return await codesAnswer(c, run, type);
    }
  });
}

function begin(
  c: Context<AppEnv>,
  drawers: Drawers,
  request: GenerateRequest,
  type: typeof TYPES[number],
): Run {
  const models = drawers.drawer(request.model);
  const scene = sceneFrom(request, models);
  const file = fileType(type);
  if (file === type && scene.count > 1) {
    throw invalidField("/n", `expected 1: ${type} holds a single picture`);
  }
  if (file !== undefined) {
    checkGridSize(scene.size, models.vision, drawers.limits);
  }
  const task: DrawingTask = {
    scene,
    models,
    file,
    preview: request.preview && type === "text/event-stream",
    metadata: request.metadata,
  };
  return {
    id: `gen-${crypto.randomUUID()}`,
    task,
    progress: walkDrawing(task, drawers.codec, c.var.signal),
  };
}

/** JSON and events carry PNGs; bare codes never meet the vision decoder. */
function fileType(type: typeof TYPES[number]): FileType | undefined {
  switch (type) {
    case "application/json":
    case "text/event-stream":
    case "image/png":
      return "image/png";
    case "image/jpeg":
      return "image/jpeg";
    default:
      return undefined;
  }
}

async function finish(c: Context<AppEnv>, run: Run): Promise<Drawing> {
  let last: DrawingProgress | undefined;
  for await (const event of run.progress) last = event;
  if (last?.type !== "completed") throw new TypeError("the drawing broke off");
  noteDrawing(c, last.drawing);
  return last.drawing;
}

function noteDrawing(c: Context<AppEnv>, drawing: Drawing): void {
  c.set("tokens", drawing.newTokens);
}

async function jsonAnswer(c: Context<AppEnv>, run: Run): Promise<Response> {
  const drawing = await finish(c, run);
  return c.json(drawingFields(run, drawing), 200, {
    "server-timing": serverTiming(drawing.timings),
  });
}

async function fileAnswer(c: Context<AppEnv>, run: Run): Promise<Response> {
  const drawing = await finish(c, run);
  const [picture] = drawing.pictures;
  const { bytes, type } = picture!.file!;
  return c.body(bytes, 200, {
    "content-type": type,
    "x-grid-height": `${picture!.grid.height}`,
    "x-grid-width": `${picture!.grid.width}`,
    ...answerHeaders(run, drawing),
  });
}

/** One grid, or all of them one after the other: `[n, H, W]`. */
async function codesAnswer(
  c: Context<AppEnv>,
  run: Run,
  type: BinaryType,
): Promise<Response> {
  const drawing = await finish(c, run);
  const { size, count } = run.task.scene;
  const codes = Uint16Array.from(
    drawing.pictures.flatMap(({ grid }) => [...grid.codes]),
  );
  const grids = { height: size.height, width: size.width, codes };
  const { body, headers } = binaryAnswer(
    count === 1 ? grids : { ...grids, frames: count },
    type,
  );
  return c.body(body, 200, { ...headers, ...answerHeaders(run, drawing) });
}

function answerHeaders({ task }: Run, { timings }: Drawing) {
  return {
    "x-seed": `${task.scene.seed}`,
    "server-timing": serverTiming(timings),
  };
}

async function* wireEvents(
  c: Context<AppEnv>,
  run: Run,
): AsyncGenerator<WireEvent, void, undefined> {
  const { scene: { seed, size } } = run.task;
  for await (const event of run.progress) {
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
        noteDrawing(c, event.drawing);
        yield { event: "completed", data: drawingFields(run, event.drawing) };
        break;
      default:
        event satisfies never;
    }
  }
}
