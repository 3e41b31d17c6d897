/**
 * The reconstruction of pictures by the vision tokenizer: PSNR and SSIM against
 * the encoded pictures.
 *
 * @module
 */

import type { RgbImage } from "../../lib/image/image.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import { psnr, ssim, SSIM_WINDOW } from "../../lib/vision/fidelity.ts";
import type { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import {
  decodeForTraining,
  RELEASED_AREA,
} from "../prepare/encoding/picture_encoder.ts";
import { RecordError, type RecordSource } from "../prepare/readers/source.ts";
import type { MeasuredRecord } from "./measured_records.ts";

/** A picture and its reconstruction. */
export interface Reconstruction {
  /** Name of the picture. */
  readonly record: string;
  /** PSNR in decibels; infinite if both are equal. */
  readonly psnr: number;
  /** SSIM, the mean of the channels. */
  readonly ssim: number;
  /** The encoded picture and its reconstruction. */
  readonly pair: readonly [RgbImage, RgbImage] | undefined;
}

/** The means of reconstructions. */
export interface MeanReconstruction {
  /** Number of pictures. */
  readonly records: number;
  /** Number of pictures that are reconstructed exactly, which have no PSNR. */
  readonly identical: number;
  /** Mean PSNR of the others; undefined if there is none. */
  readonly psnr: number | undefined;
  /** Mean SSIM of all. */
  readonly ssim: number;
}

/** The vision tokenizer with a codec. */
export interface PictureTools {
  /** Codec of picture files. */
  readonly codec: PictureCodec;
  /** The vision tokenizer. */
  readonly vision: VisionTokenizer;
}

/**
 * Decodes the picture in `bytes`, and resizes it as for a question.
 *
 * @throws {Emu3Error} If the picture is unusable.
 */
export async function fittedPicture(
  { codec, vision }: PictureTools,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<RgbImage> {
  const { minPixels, maxPixels } = vision.checkpoint.preprocessor;
  const sizes = { factor: vision.pixelsPerCode, minPixels, maxPixels };
  return await decodeForTraining(codec, bytes, {
    ...sizes,
    resize: "smart",
    imageArea: RELEASED_AREA,
  }, signal);
}

/**
 * Yields the pictures of a source.
 *
 * @param shown Number of pictures that are kept for the report.
 */
export async function* reconstructionRecords(
  source: RecordSource,
  tools: PictureTools,
  shown: number,
): AsyncGenerator<MeasuredRecord<Reconstruction>> {
  let index = 0;
  for await (const { name, place, picture } of source.records()) {
    const kept = index++ < shown;
    yield {
      record: place,
      measure: async (signal) => {
        const original = await fittedPicture(tools, await picture(), signal);
        const { height, width } = original;
        if (Math.min(height, width) < SSIM_WINDOW) {
          throw new RecordError(
            `its picture is encoded at ${height} × ${width} pixels, and SSIM needs ${SSIM_WINDOW} × ${SSIM_WINDOW}`,
          );
        }
        const grid = await tools.vision.encode(original, signal);
        const copy = await tools.vision.decode(grid, signal);
        return {
          record: name,
          psnr: psnr(original, copy),
          ssim: ssim(original, copy),
          pair: kept ? [original, copy] : undefined,
        };
      },
    };
  }
}

/** Returns the means of some pictures; undefined if there is none. */
export function meanReconstruction(
  pictures: readonly Pick<Reconstruction, "psnr" | "ssim">[],
): MeanReconstruction | undefined {
  if (pictures.length === 0) return undefined;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const finite = pictures.map(({ psnr }) => psnr).filter(Number.isFinite);
  return {
    records: pictures.length,
    identical: pictures.length - finite.length,
    psnr: finite.length === 0 ? undefined : mean(finite),
    ssim: mean(pictures.map(({ ssim }) => ssim)),
  };
}
