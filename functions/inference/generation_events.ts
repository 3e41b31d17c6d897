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

import {
  draw,
  type GenerationEvent,
  type GenerationParams,
} from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { DrawnRow } from "../../lib/drawing/drawn_grid.ts";
import { withXmp } from "../../lib/image/metadata/jpeg_xmp.ts";
import { withWebpXmp } from "../../lib/image/metadata/webp_xmp.ts";
import {
  type PictureOrigin,
  pictureTexts,
  xmpPacket,
} from "./image_metadata.ts";
import type { ModelPair, Tools, VisionModel } from "../models/ports.ts";
import { PreviewRate } from "./preview_rate.ts";
import type { PictureCall } from "./pixel_budget.ts";
import {
  acquirePicture,
  encodeFile,
  type FileOptions,
  type FileType,
} from "./render.ts";
import { Stopwatch, type Timings, timingsFrom } from "../http/server_timing.ts";

/**
 * The rows that come with a preview: evenly spaced ones ({@linkcode
 * MAX_PREVIEWS}) limited by the decoding speed ({@linkcode PreviewRate}), none,
 * or those of these indices. Each costs a run of the vision decoder.
 */
export type PreviewRows = boolean | ReadonlySet<number>;

/**
 * The maximum number of previews of an image: with more rows, every second row
 * has one, or every third, and so on.
 */
export const MAX_PREVIEWS = 32;

/** The files to make of a generation. */
export interface WantedFile {
  /** Media type; undefined for codes only, which need no vision decoder. */
  readonly file: FileType | undefined;
  /** Rows with a preview, and the file type of the previews. */
  readonly preview: PreviewRows;
  /** Quality of JPEGs and WebPs, 1–100; see `FileOptions`. */
  readonly quality?: number | undefined;
}

/** The parameters, models and files of a generation. */
export interface GenerationTask extends WantedFile {
  /** Generation parameters. */
  readonly params: GenerationParams;
  /** Models that draw. */
  readonly models: ModelPair;
  /** Returns true if previews are watched; undefined for always. */
  readonly watched?: (() => boolean) | undefined;
  /** True if files hold metadata of their generation. */
  readonly metadata: boolean;
  /** Resume state of each picture that continues earlier work. */
  readonly resumeStates: readonly (ResumeState | undefined)[];
}

/** A file of a picture. */
export interface PictureFile {
  /** Media type. */
  readonly type: FileType;
  /** Content of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
}

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
  /** Pictures by index. */
  readonly pictures: readonly GeneratedPicture[];
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
  | { readonly type: "image"; readonly picture: GeneratedPicture }
  | { readonly type: "completed"; readonly generation: Generation };

/** Draws pictures and yields progress; the last event is always `completed`. */
export async function* runGeneration(
  task: GenerationTask,
  tools: Tools,
  call: PictureCall,
): AsyncGenerator<GenerationProgress, void, undefined> {
  const { params, models, resumeStates } = task;
  const watch = new Stopwatch();
  const rows = Array.from({ length: params.count }, (): DrawnRow[] => []);
  const pictures: GeneratedPicture[] = [];
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
        rows[imageIndex]!.push(row);
        const preview = isPreviewed(task, row.index, pace)
          ? await watch.run(() =>
            pace.run(() => previewFile(task, rows[imageIndex]!, tools, call))
          )
          : undefined;
        yield { ...event, preview };
        break;
      }
      case "grid": {
        const { imageIndex, grid } = event;
        const file = await watch.run(() =>
          pictureFile(task, { grid, imageIndex }, tools, call)
        );
        const drawn = rows[imageIndex]!;
        const picture = { imageIndex, grid, rows: drawn, file };
        pictures.push(picture);
        yield { type: "image", picture };
        break;
      }
      case "finished":
        yield {
          type: "completed",
          generation: {
            pictures: pictures.sort((a, b) => a.imageIndex - b.imageIndex),
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

function isPreviewed(
  { preview, params, watched }: GenerationTask,
  index: number,
  pace: PreviewRate,
): boolean {
  if (typeof preview === "object") return preview.has(index);
  if (!preview || watched?.() === false) return false;
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
