/**
 * GIF as a list of blocks.
 *
 * ```text
 * "GIF89a" │ screen │ palette │ ([graphic control] image)… │ trailer
 * ```
 *
 * Knows where frames lie, nothing of LZW. Source: GIF89a specification.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";

/** One frame, by where things stand in the file. */
export interface GifFrame {
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
  /** Offset of the graphic control's flags; undefined without one. */
  readonly flagsOffset: number | undefined;
  /** The transparent palette index, if one is named. */
  readonly transparentIndex: number | undefined;
  /** The frame's palette, or the file's: `[colors, 3]`; empty without either. */
  readonly palette: Uint8Array;
}

/** A GIF's canvas and frames. */
export interface GifLayout {
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
  /** In the order of time; never empty. */
  readonly frames: readonly GifFrame[];
}

/** The graphic control's flag for a transparent index. */
export const GIF_TRANSPARENT_FLAG = 1;

/** Frames that a file may have. */
const MAX_FRAMES = 2 ** 15;

/** Sub-blocks that a file may have; encoders fill all but the last of each. */
const MAX_SUB_BLOCKS = 2 ** 20;

/**
 * The layout of a GIF.
 *
 * @throws {ImageError} When it is cut short, holds no frame or a frame that
 * sticks out of the canvas. A missing trailer is forgiven, as viewers do.
 */
export function readGifLayout(bytes: Uint8Array): GifLayout {
  const reader = new BlockReader(bytes, 6);
  const width = reader.uint16();
  const height = reader.uint16();
  const flags = reader.uint8();
  reader.skip(2);
  const globalPalette = reader.palette(flags);
  const frames: GifFrame[] = [];
  let control: Control = { offset: undefined, transparentIndex: undefined };
  while (!reader.ended) {
    const block = reader.uint8();
    if (block === 0x3b) break;
    if (block === 0x21) {
      control = reader.extension() ?? control;
    } else if (block === 0x2c) {
      const frame = reader.frame(globalPalette, control);
      if (
        frame.left + frame.width > width || frame.top + frame.height > height
      ) {
        throw new ImageError("a frame of the GIF sticks out of its canvas");
      }
      if (frames.length === MAX_FRAMES) {
        throw new ImageError("the GIF has too many frames");
      }
      frames.push(frame);
      control = { offset: undefined, transparentIndex: undefined };
    } else {
      throw new ImageError("the GIF is damaged: a block is of no known kind");
    }
  }
  if (frames.length === 0) throw new ImageError("the GIF holds no picture");
  return { height, width, frames };
}

/** What a graphic control extension says about the frame after it. */
interface Control {
  readonly offset: number | undefined;
  readonly transparentIndex: number | undefined;
}

class BlockReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #blocks = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new ImageError("the GIF is cut short");
    return value;
  }

  uint16(): number {
    return this.uint8() | this.uint8() << 8;
  }

  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      throw new ImageError("the GIF is cut short");
    }
  }

  /** The palette that `flags` announce; empty when they announce none. */
  palette(flags: number): Uint8Array {
    const start = this.#at;
    if (flags & 0x80) this.skip(3 * 2 ** ((flags & 7) + 1));
    return this.#bytes.subarray(start, this.#at);
  }

  /** Passes an extension; what it says when it is a graphic control. */
  extension(): Control | undefined {
    if (this.uint8() !== 0xf9 || this.#bytes[this.#at] !== 4) {
      this.#subBlocks();
      return undefined;
    }
    const offset = this.#at + 1;
    const flags = this.#bytes[offset] ?? 0;
    const index = this.#bytes[offset + 3];
    this.#subBlocks();
    const transparent = (flags & GIF_TRANSPARENT_FLAG) !== 0;
    return { offset, transparentIndex: transparent ? index : undefined };
  }

  frame(globalPalette: Uint8Array, control: Control): GifFrame {
    const left = this.uint16();
    const top = this.uint16();
    const width = this.uint16();
    const height = this.uint16();
    if (height === 0 || width === 0) {
      throw new ImageError("a frame of the GIF has no pixels");
    }
    const flags = this.uint8();
    const local = this.palette(flags);
    this.skip(1); // code size
    this.#subBlocks();
    return {
      top,
      left,
      height,
      width,
      flagsOffset: control.offset,
      transparentIndex: control.transparentIndex,
      palette: local.length > 0 ? local : globalPalette,
    };
  }

  #subBlocks(): void {
    for (let length = this.uint8(); length > 0; length = this.uint8()) {
      if (++this.#blocks > MAX_SUB_BLOCKS) {
        throw new ImageError("the GIF has too many blocks");
      }
      this.skip(length);
    }
  }
}
