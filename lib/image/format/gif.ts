/**
 * The GIF container: a list of blocks.
 *
 * ```text
 * "GIF89a" │ screen │ palette │ ([graphic control] image)… │ trailer
 * ```
 *
 * It accepts the same files as viewers and Pillow: bytes between blocks are
 * skipped, the trailer may be missing, the canvas grows to the first frame. It
 * locates frames and does not decode LZW. Source: GIF89a specification.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../../errors.ts";
import type { PixelSize } from "../image.ts";

/**
 * The disposal of a frame. Viewers keep a frame without a disposal ("unnamed").
 */
export type GifDisposal = "unnamed" | "keep" | "clear" | "previous";

/** One frame, by offsets in the file. */
export interface GifFrame extends PixelSize {
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
  /** True if its rows are stored in four passes. */
  readonly interlaced: boolean;
  /** Disposal of its area after it was displayed. */
  readonly disposal: GifDisposal;
  /** The transparent palette index, if one is named. */
  readonly transparentIndex: number | undefined;
  /**
   * The frame's palette, or the file's: `[colors, 3]`; empty without either.
   */
  readonly palette: Uint8Array;
  /** Offset of its LZW code size, which its data follows. */
  readonly dataOffset: number;
}

/** A GIF's canvas and frames. */
export interface GifLayout extends PixelSize {
  /** The palette index of the background; 0 if the file has no palette. */
  readonly background: number;
  /** Frames in the order of time; never empty. */
  readonly frames: readonly GifFrame[];
  /** False if the file ends inside a block other than picture data. */
  readonly whole: boolean;
}

/** Bytes of "GIF89a". */
const SIGNATURE_BYTES = 6;

/** The maximum number of frames of a file. */
const MAX_FRAMES = 2 ** 15;

/**
 * The maximum number of sub-blocks of a file; encoders fill all but the last of
 * each.
 */
const MAX_SUB_BLOCKS = 2 ** 20;

/** Flag of a graphic control that has a transparent index. */
const TRANSPARENT = 1;

/**
 * Returns the layout of a GIF.
 *
 * The canvas is the logical screen, enlarged to the first frame. Later frames
 * may extend beyond the canvas, and are not checked.
 *
 * @throws {ImageError} If it holds no frame, ends before its first one, or has
 * too many blocks.
 * @throws {ImageTooLargeError} If it has too many frames.
 */
export function readGifLayout(bytes: Uint8Array): GifLayout {
  const reader = new BlockReader(bytes, SIGNATURE_BYTES);
  const screen = reader.screen();
  const frames: GifFrame[] = [];
  let whole = true;
  try {
    readBlocks(reader, screen.palette, frames);
  } catch (error) {
    if (!(error instanceof CutShort) || frames.length === 0) throw error;
    whole = false;
  }
  const [first] = frames;
  if (first === undefined) throw new ImageError("the GIF has no image data");
  return {
    height: Math.max(screen.height, first.top + first.height),
    width: Math.max(screen.width, first.left + first.width),
    background: screen.background,
    frames,
    whole,
  };
}

/** Returns the offset of the first block, which the screen's palette precedes. */
export function gifBlocksStart(bytes: Uint8Array): number {
  const reader = new BlockReader(bytes, SIGNATURE_BYTES);
  reader.screen();
  return reader.at;
}

/**
 * @param frames List that frames are appended to, also if the file ends early.
 */
function readBlocks(
  reader: BlockReader,
  palette: Uint8Array,
  frames: GifFrame[],
): void {
  let control = NO_CONTROL;
  while (!reader.ended) {
    const block = reader.uint8();
    if (block === 0x3b) return;
    if (block === 0x21) {
      control = reader.extension() ?? control;
    } else if (block === 0x2c) {
      if (frames.length === MAX_FRAMES) {
        throw new ImageTooLargeError("the GIF has too many frames; send fewer");
      }
      frames.push(reader.frame(palette, control));
      control = NO_CONTROL;
    }
    // Any other byte is between blocks and is skipped, as by Pillow and
    // browsers.
  }
}

/** The fields of a graphic control extension, which apply to the next frame. */
type Control = Pick<GifFrame, "disposal" | "transparentIndex">;

const NO_CONTROL: Control = {
  disposal: "unnamed",
  transparentIndex: undefined,
};

/**
 * Disposals by the number in the graphic control. Some programs write 4 for 3.
 */
const DISPOSALS: readonly GifDisposal[] = [
  "unnamed",
  "keep",
  "clear",
  "previous",
  "previous",
];

class CutShort extends ImageError {
  constructor() {
    super("the GIF is truncated");
  }
}

class BlockReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #blocks = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new CutShort();
    return value;
  }

  uint16(): number {
    return this.uint8() | this.uint8() << 8;
  }

  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new CutShort();
  }

  screen(): PixelSize & { palette: Uint8Array; background: number } {
    const width = this.uint16();
    const height = this.uint16();
    const flags = this.uint8();
    const background = this.uint8();
    this.skip(1); // aspect ratio
    const palette = this.palette(flags);
    return {
      height,
      width,
      palette,
      background: palette.length > 0 ? background : 0,
    };
  }

  /** Returns the palette declared by `flags`; empty if there is none. */
  palette(flags: number): Uint8Array {
    const start = this.#at;
    if (flags & 0x80) this.skip(3 * 2 ** ((flags & 7) + 1));
    return this.#bytes.subarray(start, this.#at);
  }

  /** Skips an extension; returns its fields if it is a graphic control. */
  extension(): Control | undefined {
    const kind = this.uint8();
    const start = this.#at + 1;
    this.#subBlocks();
    if (kind !== 0xf9 || this.#bytes[start - 1]! < 4) return undefined;
    const flags = this.#bytes[start]!;
    return {
      disposal: DISPOSALS[flags >> 2 & 7] ?? "unnamed",
      transparentIndex: flags & TRANSPARENT
        ? this.#bytes[start + 3]
        : undefined,
    };
  }

  frame(globalPalette: Uint8Array, control: Control): GifFrame {
    const left = this.uint16();
    const top = this.uint16();
    const width = this.uint16();
    const height = this.uint16();
    const flags = this.uint8();
    const local = this.palette(flags);
    const dataOffset = this.#at;
    this.skip(1); // code size
    // Truncated data may contain the whole picture; the decoder checks that.
    this.#subBlocks({ mayEnd: true });
    return {
      top,
      left,
      height,
      width,
      interlaced: (flags & 0x40) !== 0,
      palette: local.length > 0 ? local : globalPalette,
      dataOffset,
      ...control,
    };
  }

  #subBlocks({ mayEnd = false } = {}): void {
    while (!(mayEnd && this.ended)) {
      const length = this.uint8();
      if (length === 0) return;
      if (++this.#blocks > MAX_SUB_BLOCKS) {
        throw new ImageError("the GIF has too many blocks; save it again");
      }
      if (mayEnd) this.#at = Math.min(this.#at + length, this.#bytes.length);
      else this.skip(length);
    }
  }
}
