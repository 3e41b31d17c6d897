/**
 * The clip settings of a checkpoint, from its `generation_config.json`.
 *
 * A checkpoint draws clips if it names a form of clips as tokens:
 *
 * ```text
 * paper    BOI meta IMG (row EOL … EOF) … EOI     frames of codes; arXiv 2409.18869 §2.1
 * frames   BOI T*H*W IMG (codes EOF) … EOI        a still per frame; UniVLA, arXiv 2506.19850
 * ```
 *
 * Neither published checkpoint has these fields: they are this project's
 * additions to that file.
 *
 * @module
 */

import * as v from "valibot";
import { Count, orDefault, parseFields, Positive } from "./fields.ts";

/** The form of a clip as tokens. */
export type ClipFormat = "paper" | "frames";

/** Settings of the clips that a checkpoint draws. */
export interface ClipConfig {
  /** Form of a clip as tokens. */
  readonly format: ClipFormat;
  /**
   * True if each new frame is a picture of its own, with an opening before it;
   * only `frames`.
   */
  readonly interleaved: boolean;
  /**
   * Template of the text between BOI and IMG, with `{frames}`, `{height}` and
   * `{width}` in codes, `{fps}` and `{seconds}`; only `paper`.
   */
  readonly meta: string;
  /** Frames of pixels of a clip, unless a request sets them. */
  readonly frames: number;
  /** Maximum number of frames of pixels. */
  readonly maxFrames: number;
  /** Frames of pixels in a second, unless a request sets them. */
  readonly fps: number;
}

/** Frames of pixels of a clip, where the file sets none. */
const DEFAULT_FRAMES = 8;

const Fields = v.looseObject({
  video_format: v.nullish(v.picklist(["paper", "frames"])),
  video_mode: orDefault(v.picklist(["whole", "interleaved"]), "whole"),
  video_meta: orDefault(
    v.pipe(v.string(), v.maxLength(256)),
    "{frames}*{height}*{width}",
  ),
  video_frames: v.nullish(Count),
  video_max_frames: v.nullish(Count),
  video_fps: orDefault(Positive, 8),
});

/**
 * Parses the settings of clips in a `generation_config.json`; returns undefined
 * for a checkpoint that draws none.
 *
 * @throws {SyntaxError} If a field is invalid, or fields contradict each other.
 */
export function parseClipConfig(json: unknown): ClipConfig | undefined {
  const fields = parseFields(Fields, json);
  const { video_format: format, video_mode: mode } = fields;
  if (!format) return undefined;
  const maxFrames = fields.video_max_frames ?? Infinity;
  const frames = fields.video_frames ?? Math.min(DEFAULT_FRAMES, maxFrames);
  const interleaved = mode === "interleaved";
  if (interleaved && format === "paper") {
    throw new SyntaxError("video_mode is interleaved, which only frames knows");
  }
  if (maxFrames < frames) {
    throw new SyntaxError(
      `video_frames is ${frames}, above video_max_frames, ${maxFrames}`,
    );
  }
  return {
    format,
    interleaved,
    meta: fields.video_meta,
    frames,
    maxFrames,
    fps: fields.video_fps,
  };
}
