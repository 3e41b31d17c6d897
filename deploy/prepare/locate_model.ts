/**
 * The search for the model that data is prepared for.
 *
 * @module
 */

import {
  findVisionFolder,
  openLanguageCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { placesFrom } from "../cache/locate.ts";
import { emu3Parts } from "../models/emu3_structure.ts";
import { bring } from "../models/pull.ts";
import { Report, type ReportOptions } from "../models/report.ts";
import { RELEASED_AREA } from "./encoding/picture_encoder.ts";

/** Folder of the embedded model. */
export const EMBEDDED_MODEL: string =
  new URL("../../models/emu3-mini", import.meta.url).pathname;

/** Remedy for a model without a vision tokenizer. */
export const VISION_REMEDY = "name one with --vision-model";

/** The parts of a model that determine codes. */
export interface LocatedModel {
  /** Folder of the vision tokenizer. */
  readonly vision: string;
  /** Area of its pictures, in pixels². */
  readonly imageArea: number;
}

/** The requested model. */
export interface ModelChoice {
  /** Folder or source of a language model or vision tokenizer. */
  readonly model: string | undefined;
  /** Folder or source of the vision tokenizer, if that is not beside it. */
  readonly visionModel: string | undefined;
}

/**
 * Returns the folder of the vision tokenizer, downloaded if it is missing.
 *
 * @throws {SourceError} If no source has a model.
 * @throws {CheckpointError} If it has no vision tokenizer.
 */
export async function locateModel(
  { model, visionModel }: ModelChoice,
  output: ReportOptions,
  signal: AbortSignal,
): Promise<LocatedModel> {
  const report = new Report(output);
  const places = placesFrom();
  const folder = model === undefined
    ? EMBEDDED_MODEL
    : await bring(model, places, report, signal);
  const parts = await emu3Parts(folder);
  const vision = visionModel !== undefined
    ? await bring(visionModel, places, report, signal)
    : parts?.language === false && parts.vision
    ? folder
    : await findVisionFolder(folder, VISION_REMEDY);
  const imageArea = parts?.language === true
    ? (await openLanguageCheckpoint(folder)).config.imageArea
    : RELEASED_AREA;
  return { vision, imageArea };
}
