/**
 * The task of a generation: its parameters and models, and the files to make.
 *
 * @module
 */

import type { GenerationParams } from "../../lib/emu3.ts";
import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { ModelPair } from "../models/ports.ts";
import type { ClipType } from "./clips/clip_files.ts";
import type { FileType } from "./render.ts";

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
  /** Media type of a clip's file; undefined for codes only. */
  readonly clipType?: ClipType | undefined;
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
