/**
 * The content of a video: its file as it was stored, or pictures of its frames,
 * decoded from its codes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { CodeClip } from "../../../../lib/grid.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import { clipFromFields } from "../../../http/grid_json.ts";
import { filesIn } from "../../../http/json_parts.ts";
import { clipGenerator } from "../../../inference/clips/clip_context.ts";
import {
  type ClipShape,
  pixelShape,
} from "../../../inference/clips/clip_files.ts";
import type { PictureCall } from "../../../inference/pixel_budget.ts";
import { acquireClip, encodeFile } from "../../../inference/render.ts";
import type { JobAnswer } from "../../../jobs/job.ts";
import type { ImageGenerators } from "../../../models/ports.ts";
import type { GenerateAnswer } from "../../../schema/answers/answers.ts";
import type { Clip } from "../../../schema/common.ts";

/** The variants of a video's content. */
export const VARIANTS = ["video", "thumbnail", "spritesheet"] as const;

/** A variant of a video's content. */
export type Variant = typeof VARIANTS[number];

/** A file. */
export interface ContentFile {
  /** Media type. */
  readonly type: string;
  /** Bytes of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Returns the content of a video: the file, the first frame, or all frames in
 * rows as one PNG.
 *
 * @throws {UnknownModelError} If its model is not served any more.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function videoContent(
  answer: JobAnswer,
  variant: Variant,
  generators: ImageGenerators,
  call: PictureCall,
): Promise<ContentFile> {
  if (variant === "video") {
    const [file] = filesIn(answer.body);
    const { base64, type } = file!;
    const text = Buffer.from(base64).toString("latin1");
    return { type, bytes: Uint8Array.fromBase64(text) };
  }
  const text = new TextDecoder().decode(answer.body);
  const { model, clips }: GenerateAnswer = JSON.parse(text);
  const { vision } = await clipGenerator(generators, model);
  const [{ clip: field }] = clips! as [NonNullable<typeof clips>[number]];
  const clip = clipFromFields(field as Clip, "", vision);
  const shown = variant === "thumbnail" ? firstFrame(clip) : clip;
  using _share = await acquireClip(generators, shown, vision, call);
  const image = await sheetOf(
    vision.decodeClip(shown, call.signal, call.caller),
    pixelShape(shown, vision),
  );
  const type = "image/png";
  const bytes = await encodeFile(generators, image, { type }, call);
  return { type, bytes: new Uint8Array(bytes) };
}

function firstFrame(clip: CodeClip): CodeClip {
  const codes = clip.codes.slice(0, clip.height * clip.width);
  return { ...clip, frames: 1, codes };
}

/** Returns one picture of all frames, row by row; the rest is black. */
export async function sheetOf(
  decoded: AsyncIterable<RgbImage>,
  { frames, height, width }: ClipShape,
): Promise<RgbImage> {
  const columns = Math.ceil(Math.sqrt(frames));
  const rows = Math.ceil(frames / columns);
  const stride = 3 * columns * width;
  const pixels = new Uint8ClampedArray(rows * height * stride);
  let i = 0;
  for await (const frame of decoded) {
    const top = Math.floor(i / columns) * height;
    const left = 3 * (i++ % columns) * width;
    for (let y = 0; y < height; y++) {
      const row = frame.pixels.subarray(3 * y * width, 3 * (y + 1) * width);
      pixels.set(row, (top + y) * stride + left);
    }
  }
  return { height: rows * height, width: columns * width, pixels };
}
