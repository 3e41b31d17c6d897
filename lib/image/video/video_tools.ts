/**
 * The encoder and the reader of video files, if ffmpeg is installed.
 *
 * @module
 */

import { findFfmpeg, type VideoEncoder } from "../ffmpeg.ts";
import { findVideoReader, type VideoReader } from "./reader.ts";

/** The encoder and the reader of videos; undefined if they are not found. */
export interface VideoTools {
  /** Encoder of frames as MP4. */
  readonly encodeVideo?: VideoEncoder | undefined;
  /** Reader of video files. */
  readonly readVideo?: VideoReader | undefined;
}

/**
 * Finds the tools that are needed, side by side.
 *
 * @param program Name or path of ffmpeg; undefined for none.
 */
export async function findVideoTools(
  program: string | undefined,
  { reads, writes }: { readonly reads: boolean; readonly writes: boolean },
): Promise<VideoTools> {
  if (program === undefined) return {};
  const [encodeVideo, readVideo] = await Promise.all([
    writes ? findFfmpeg(program) : undefined,
    reads ? findVideoReader(program) : undefined,
  ]);
  return { encodeVideo, readVideo };
}
