/**
 * The prompts and token layouts of clips.
 *
 * ```text
 * paper        BOS text BOI meta IMG     given rows, each with EOL; EOF after a frame
 * frames       BOS text BOI T*H*W IMG    given frames, each with EOF
 * interleaved  BOS text (BOI K*H*W IMG given frames with EOF between, EOF EOI)
 *              BOI N*H*W IMG             N frames to draw
 * ```
 *
 * T counts all frames, K the given and N the drawn ones. Sources as in
 * `drawing/token_layout.ts`; `inference_vision.py` of baaivision/UniVLA for the
 * interleaved form.
 *
 * @module
 */

import type { ClipConfig } from "../models/config/clip_config.ts";
import { rowsAsTokens, type TokenLayout } from "./drawing/token_layout.ts";
import { type CodeGrid, firstRows, type GridSize } from "./grid.ts";
import { opening, type PromptWriter } from "./prompt.ts";

/** The clip that a drawing is. */
export interface DrawnClip {
  /** Its form as tokens. */
  readonly form: Pick<ClipConfig, "format" | "interleaved" | "meta">;
  /** Number of frames of codes, given ones included. */
  readonly frames: number;
  /** Frames of pixels that a frame of codes represents. */
  readonly framesPerCode: number;
  /** Frames of pixels in a second. */
  readonly fps: number;
}

/** Returns the number of rows of one frame of a clip of `size`. */
export function clipFrameHeight(
  { frames }: Pick<DrawnClip, "frames">,
  { height }: GridSize,
): number {
  return height / frames;
}

/** Returns the number of rows of a frame; those of a picture are all. */
export function drawnFrameHeight(
  { size, clip }: {
    readonly size: GridSize;
    readonly clip?: Pick<DrawnClip, "frames"> | undefined;
  },
): number {
  return clip === undefined ? size.height : clipFrameHeight(clip, size);
}

/** Returns the token layout of a clip. */
export async function clipLayout(
  writer: PromptWriter,
  clip: DrawnClip,
  size: GridSize,
): Promise<TokenLayout> {
  const { eol, eof, eoi } = writer.vocabulary;
  const frameHeight = clipFrameHeight(clip, size);
  if (clip.form.format === "paper") {
    // EOL EOF EOI EOS
    return { frameHeight, afterRow: [eol], afterFrame: [eof], endLength: 4 };
  }
  const between = clip.form.interleaved
    ? [eoi, ...await opening(writer, `1*${frameHeight}*${size.width}`)]
    : [];
  // EOF EOI EOS
  return {
    frameHeight,
    afterRow: [],
    afterFrame: [eof, ...between],
    endLength: 3,
  };
}

/**
 * Returns the tokens between the text and the first code that is drawn, the
 * given frames and the first rows after them included.
 *
 * @param rows Given and drawn rows, from the top.
 * @param given Number of given frames.
 */
export async function clipStart(
  writer: PromptWriter,
  { clip, size, rows, given, layout }: {
    readonly clip: DrawnClip;
    readonly size: GridSize;
    readonly rows: CodeGrid;
    readonly given: number;
    readonly layout: TokenLayout;
  },
): Promise<readonly ArrayLike<number>[]> {
  const { vocabulary } = writer;
  const { eof, eoi } = vocabulary;
  const { frameHeight } = layout;
  const { width } = size;
  if (!clip.form.interleaved) {
    const meta = clipMeta(clip, { height: frameHeight, width });
    return [
      await opening(writer, meta),
      rowsAsTokens(layout, rows, vocabulary),
    ];
  }
  const sides = `${frameHeight}*${width}`;
  const drawn = await opening(writer, `${clip.frames - given}*${sides}`);
  const after = rowsAsTokens(layout, rows, vocabulary, given * frameHeight);
  if (given === 0) return [drawn, after];
  const context = rowsAsTokens(
    { ...layout, afterFrame: [eof] },
    firstRows(rows, given * frameHeight),
    vocabulary,
  );
  const start = await opening(writer, `${given}*${sides}`);
  return [start, context, [eoi], drawn, after];
}

/** Returns the text between BOI and IMG. */
function clipMeta(
  { form: { format, meta }, frames, framesPerCode, fps }: DrawnClip,
  { height, width }: GridSize,
): string {
  if (format === "frames") return `${frames}*${height}*${width}`;
  const seconds = frames * framesPerCode / fps;
  const values = new Map(
    Object.entries({ frames, height, width, fps, seconds }),
  );
  return meta.replaceAll(
    /\{(\w+)\}/g,
    (whole, name: string) => `${values.get(name) ?? whole}`,
  );
}
