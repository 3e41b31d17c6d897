/**
 * A scene drawn, and turned into files as far as files are wanted.
 *
 * ```text
 * draw ─▶ rows ─▶ (previews) ─▶ grids ─▶ (pixels ─▶ file) ─▶ completed
 * ```
 *
 * @module
 */

import { draw, type DrawingEvent, type Scene } from "../lib/emu3.ts";
import type { CodeGrid } from "../lib/grid.ts";
import type { Halfway } from "../lib/drawing/halfway.ts";
import type { DrawnRow } from "../lib/drawing/drawn_grid.ts";
import type { RgbImage } from "../lib/vision/image.ts";
import { withXmp } from "../lib/vision/jpeg_xmp.ts";
import {
  type PictureOrigin,
  pictureTexts,
  xmpPacket,
} from "./picture_metadata.ts";
import type { Drawers, ModelPair } from "./ports.ts";
import { Stopwatch, type Timings, timingsFrom } from "./timings.ts";

/** Media types of files. */
export type FileType = "image/png" | "image/jpeg";

/** Of a JPEG, 1–100. */
export const JPEG_QUALITY = 92;

/**
 * Which rows come with the picture so far: every one, none, or those of these
 * indices. Each costs a run of the vision decoder.
 */
export type PreviewRows = boolean | ReadonlySet<number>;

/** What to draw, with what, and what to make of it. */
export interface DrawingTask {
  /** What to draw. */
  readonly scene: Scene;
  /** With what. */
  readonly models: ModelPair;
  /** Which file to make; undefined for codes alone. */
  readonly file: FileType | undefined;
  /** Which rows come with the picture so far, in a file of that type. */
  readonly preview: PreviewRows;
  /** Of JPEGs, 1–100; `JPEG_QUALITY` when left out. */
  readonly jpegQuality?: number | undefined;
  /** Whether files say how they were made. */
  readonly metadata: boolean;
  /** By picture, where one that stopped goes on. */
  readonly halfways: readonly (Halfway | undefined)[];
}

/** A file. */
export interface PictureFile {
  /** Its media type. */
  readonly type: FileType;
  /** What it holds. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
}

/** A picture that is done. */
export interface DrawnPicture {
  /** Which of the scene. */
  readonly imageIndex: number;
  /** Its codes. */
  readonly grid: CodeGrid;
  /** Rows that were drawn, in order. */
  readonly rows: readonly DrawnRow[];
  /** When asked for. */
  readonly file: PictureFile | undefined;
}

/** A scene that is done. */
export interface Drawing {
  /** By index. */
  readonly pictures: readonly DrawnPicture[];
  /** Tokens of all prompts. */
  readonly promptTokens: number;
  /** Tokens chosen or forced. */
  readonly newTokens: number;
  /** Runs of the language model. */
  readonly forwards: number;
  /** How long it took. */
  readonly timings: Timings;
}

/** What happens on the way. */
export type DrawingProgress =
  | Extract<DrawingEvent, { type: "queued" | "started" }>
  | (Extract<DrawingEvent, { type: "row" }> & {
    readonly preview: PictureFile | undefined;
  })
  | { readonly type: "image"; readonly picture: DrawnPicture }
  | { readonly type: "completed"; readonly drawing: Drawing };

/** Draws; the last event is always `completed`. */
export async function* walkDrawing(
  task: DrawingTask,
  codec: Drawers["codec"],
  signal: AbortSignal,
): AsyncGenerator<DrawingProgress, void, undefined> {
  const { scene, models, halfways } = task;
  const watch = new Stopwatch();
  const rows = Array.from({ length: scene.count }, (): DrawnRow[] => []);
  const pictures: DrawnPicture[] = [];
  for await (const event of draw(models.language, scene, signal, halfways)) {
    switch (event.type) {
      case "queued":
      case "started":
        yield event;
        break;
      case "row": {
        const { imageIndex, row } = event;
        rows[imageIndex]!.push(row);
        const preview = isPreviewed(task.preview, row.index)
          ? await watch.run(() =>
            previewFile(task, rows[imageIndex]!, codec, signal)
          )
          : undefined;
        yield { ...event, preview };
        break;
      }
      case "grid": {
        const { imageIndex, grid } = event;
        const file = await watch.run(() =>
          pictureFile(task, grid, imageIndex, codec, signal)
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
          drawing: {
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

function isPreviewed(rows: PreviewRows, index: number): boolean {
  return typeof rows === "boolean" ? rows : rows.has(index);
}

/** The picture as far as its rows go, the given ones included. */
async function previewFile(
  { scene, models: { vision }, file, jpegQuality }: DrawingTask,
  drawn: readonly DrawnRow[],
  codec: Drawers["codec"],
  signal: AbortSignal,
): Promise<PictureFile> {
  const { width } = scene.size;
  const given = scene.prefix?.height ?? 0;
  const height = given + drawn.length;
  const codes = new Uint16Array(height * width);
  if (scene.prefix !== undefined) codes.set(scene.prefix.codes);
  for (const row of drawn) codes.set(row.codes, row.index * width);
  const image = await vision.decode({ height, width, codes }, signal);
  if (file === "image/jpeg") {
    return fileOf(image, file, await jpegOf(image, codec, jpegQuality));
  }
  return fileOf(image, "image/png", await codec.encodePng(image, {}));
}

async function pictureFile(
  { scene, models, file, jpegQuality, metadata }: DrawingTask,
  grid: CodeGrid,
  imageIndex: number,
  codec: Drawers["codec"],
  signal: AbortSignal,
): Promise<PictureFile | undefined> {
  if (file === undefined) return undefined;
  const image = await models.vision.decode(grid, signal);
  const origin: PictureOrigin = {
    model: models.language.name,
    scene,
    imageIndex,
  };
  if (file === "image/png") {
    const text = metadata ? pictureTexts(origin) : {};
    return fileOf(image, file, await codec.encodePng(image, { text }));
  }
  const plain = await jpegOf(image, codec, jpegQuality);
  const jpeg = metadata ? withXmp(plain, xmpPacket(origin)) : plain;
  return fileOf(image, file, jpeg);
}

async function jpegOf(
  image: RgbImage,
  codec: Drawers["codec"],
  quality = JPEG_QUALITY,
): Promise<Uint8Array> {
  return await codec.encodeJpeg(image, { quality });
}

function fileOf(
  { height, width }: { readonly height: number; readonly width: number },
  type: FileType,
  bytes: Uint8Array,
): PictureFile {
  return { type, bytes: new Uint8Array(bytes), height, width };
}
