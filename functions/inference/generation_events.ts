/**
 * The generation events: draws pictures, and encodes files if they are
 * requested.
 *
 * ```text
 * draw ─▶ rows ─▶ (previews) ─▶ grids ─▶ (pixels ─▶ file) ─▶ completed
 * ```
 *
 * @module
 */

import { draw, type GenerationEvent } from "../../lib/emu3.ts";
import { drawnFrameHeight } from "../../lib/clip_layout.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { DrawnRow } from "../../lib/drawing/drawn_grid.ts";
import { withXmp } from "../../lib/image/metadata/jpeg_xmp.ts";
import { withWebpXmp } from "../../lib/image/metadata/webp_xmp.ts";
import {
  type PictureOrigin,
  pictureTexts,
  xmpPacket,
} from "./image_metadata.ts";
import {
  clipOf,
  fileOfClip,
  framePreviews,
  type GeneratedClip,
} from "./clips/clip_events.ts";
import type { Tools, VisionModel } from "../models/ports.ts";
import {
  type GenerationTask,
  MAX_PREVIEWS,
  type PictureFile,
} from "./generation_task.ts";
import { PreviewRate } from "./preview_rate.ts";
import type { PictureCall } from "./pixel_budget.ts";
import { acquirePicture, encodeFile, type FileOptions } from "./render.ts";
import { Stopwatch, type Timings, timingsFrom } from "../http/server_timing.ts";

/** A finished picture. */
export interface GeneratedPicture {
  /** Index of the picture in the generation. */
  readonly imageIndex: number;
  /** Codes of the picture. */
  readonly grid: CodeGrid;
  /** Rows that were drawn, in order. */
  readonly rows: readonly DrawnRow[];
  /** File, if one is requested. */
  readonly file: PictureFile | undefined;
}

/** A finished generation. */
export interface Generation {
  /** Pictures by index; none if clips are drawn. */
  readonly pictures: readonly GeneratedPicture[];
  /** Clips by index; none if pictures are drawn. */
  readonly clips: readonly GeneratedClip[];
  /** Number of tokens of all prompts. */
  readonly promptTokens: number;
  /** Number of tokens that were sampled or forced. */
  readonly newTokens: number;
  /** Number of forward passes of the language model. */
  readonly forwards: number;
  /** Timings of the run. */
  readonly timings: Timings;
}

/** A progress event of a generation. */
export type GenerationProgress =
  | Extract<GenerationEvent, { type: "queued" | "started" }>
  | (Extract<GenerationEvent, { type: "row" }> & {
    readonly preview: PictureFile | undefined;
  })
  | {
    readonly type: "frame";
    readonly imageIndex: number;
    /** Frame of codes that is complete. */
    readonly frame: number;
    /** Its pictures, if previews are requested. */
    readonly previews: readonly PictureFile[] | undefined;
  }
  | { readonly type: "image"; readonly picture: GeneratedPicture }
  | { readonly type: "clip"; readonly clip: GeneratedClip }
  | { readonly type: "completed"; readonly generation: Generation };

/** Draws pictures or clips and yields progress; the last event is always `completed`. */
export async function* runGeneration(
  task: GenerationTask,
  tools: Tools,
  call: PictureCall,
): AsyncGenerator<GenerationProgress, void, undefined> {
  const { params, models, resumeStates } = task;
  const watch = new Stopwatch();
  const rows = Array.from({ length: params.count }, (): DrawnRow[] => []);
  const pictures: GeneratedPicture[] = [];
  const clips: GeneratedClip[] = [];
  const height = drawnFrameHeight(params);
  const pace = new PreviewRate();
  for await (
    const event of draw(
      models.language,
      params,
      call.signal,
      resumeStates,
      call.caller,
    )
  ) {
    switch (event.type) {
      case "queued":
      case "started":
        yield event;
        break;
      case "row": {
        const { imageIndex, row } = event;
        const drawn = rows[imageIndex]!;
        drawn.push(row);
        const paced = <T>(make: () => Promise<T>) =>
          watch.run(() => pace.run(make));
        const preview = isPreviewed(task, row.index, pace)
          ? await paced(() => previewFile(task, drawn, tools, call))
          : undefined;
        yield { ...event, preview };
        if (params.clip === undefined || (row.index + 1) % height !== 0) break;
        const previews = isWatched(task) && pace.due
          ? await paced(() => framePreviews(task, drawn, tools, call))
          : undefined;
        const frame = Math.floor(row.index / height);
        yield { type: "frame", imageIndex, frame, previews };
        break;
      }
      case "grid": {
        const { imageIndex, grid } = event;
        const drawn = rows[imageIndex]!;
        if (params.clip !== undefined) {
          const codes = clipOf(grid, task);
          const file = await watch.run(() =>
            fileOfClip(task, { codes, imageIndex }, tools, call)
          );
          const clip = { imageIndex, codes, rows: drawn, file };
          clips.push(clip);
          yield { type: "clip", clip };
          break;
        }
        const file = await watch.run(() =>
          pictureFile(task, { grid, imageIndex }, tools, call)
        );
        const picture = { imageIndex, grid, rows: drawn, file };
        pictures.push(picture);
        yield { type: "image", picture };
        break;
      }
      case "finished":
        yield {
          type: "completed",
          generation: {
            pictures: inOrder(pictures),
            clips: inOrder(clips),
            ...event.usage,
            forwards: event.statistics.forwards,
            timings: timingsFrom(event.statistics, watch.milliseconds),
          },
        };
        break;
      default:
        event satisfies never;
    }
  }
}

/** Returns pictures or clips by index. */
function inOrder<T extends { readonly imageIndex: number }>(made: T[]): T[] {
  return made.sort((a, b) => a.imageIndex - b.imageIndex);
}

/** Returns true if previews are requested, and watched. */
function isWatched({ preview, watched }: GenerationTask): boolean {
  return preview !== false && watched?.() !== false;
}

function isPreviewed(
  task: GenerationTask,
  index: number,
  pace: PreviewRate,
): boolean {
  const { preview, params } = task;
  if (params.clip !== undefined) return false;
  if (typeof preview === "object") return preview.has(index);
  if (!isWatched(task)) return false;
  const { height } = params.size;
  // After the last row comes the picture itself.
  return index < height - 1 && index % Math.ceil(height / MAX_PREVIEWS) === 0 &&
    pace.due;
}

/**
 * Returns the preview of a picture: all rows so far, the given ones included.
 */
async function previewFile(
  { params, models: { vision }, file, quality }: GenerationTask,
  drawn: readonly DrawnRow[],
  tools: Tools,
  call: PictureCall,
): Promise<PictureFile> {
  const { width } = params.size;
  const given = params.prefix?.height ?? 0;
  const height = given + drawn.length;
  const codes = new Uint16Array(height * width);
  if (params.prefix !== undefined) codes.set(params.prefix.codes);
  for (const row of drawn) codes.set(row.codes, row.index * width);
  const options = { type: file ?? "image/png", quality };
  return await render(tools, vision, { height, width, codes }, {
    options,
    call,
  });
}

async function pictureFile(
  { params, models, file, quality, metadata }: GenerationTask,
  { grid, imageIndex }: Pick<GeneratedPicture, "grid" | "imageIndex">,
  tools: Tools,
  call: PictureCall,
): Promise<PictureFile | undefined> {
  if (file === undefined) return undefined;
  const { name: model } = models.language;
  const origin: PictureOrigin = { model, params, imageIndex };
  const marked = metadata && file === "image/png";
  const text = marked ? pictureTexts(origin) : {};
  const options = { type: file, text, quality };
  const made = await render(tools, models.vision, grid, { options, call });
  return metadata ? { ...made, bytes: markedFile(made, origin) } : made;
}

/** Returns the bytes of a file with its metadata; a PNG has them already. */
function markedFile(
  made: PictureFile,
  origin: PictureOrigin,
): Uint8Array<ArrayBuffer> {
  switch (made.type) {
    case "image/jpeg":
      return withXmp(made.bytes, xmpPacket(origin));
    case "image/webp":
      return withWebpXmp(made.bytes, made, xmpPacket(origin));
    case "image/png":
      return made.bytes;
  }
}

/**
 * Decodes and encodes a drawn picture, which is never refused: it waits before
 * uploads.
 */
async function render(
  tools: Tools,
  vision: VisionModel,
  grid: CodeGrid,
  { options, call }: {
    readonly options: FileOptions;
    readonly call: PictureCall;
  },
): Promise<PictureFile> {
  const acquiring = { call, urgent: true };
  using _share = await acquirePicture(tools, grid, vision, acquiring);
  const image = await vision.decode(grid, call.signal, call.caller);
  const bytes = await encodeFile(tools, image, options, call);
  const { height, width } = image;
  return { type: options.type, bytes: new Uint8Array(bytes), height, width };
}
