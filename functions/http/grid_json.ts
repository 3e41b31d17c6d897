/**
 * The converter of grids and clips between JSON and `lib`.
 *
 * @module
 */

import {
  clipFrame,
  type CodeClip,
  type CodeGrid,
  rowsFromGrid,
} from "../../lib/grid.ts";
import type { VisionModel } from "../models/ports.ts";
import { invalidField } from "./errors/errors.ts";
import type { Clip, ClipFields, Grid, GridFields } from "../schema/common.ts";

/** A grid or a clip. */
export type Codes = CodeGrid | CodeClip;

/** Returns true if `codes` are those of a clip. */
export function isClip(codes: Codes): codes is CodeClip {
  return "frames" in codes;
}

/**
 * Returns the grid that a body holds.
 *
 * @param pointer JSON pointer to the field.
 * @throws {InvalidFieldsError} If a row or code is invalid; names it.
 */
export function gridFromFields(
  field: Grid,
  pointer: string,
  codebookSize: number,
): CodeGrid {
  const grid = gridFromCodes(field.codes, `${pointer}/codes`, codebookSize);
  checkStated(field.height, grid.height, `${pointer}/height`);
  checkStated(field.width, grid.width, `${pointer}/width`);
  return grid;
}

/**
 * Returns the clip that a body holds.
 *
 * @throws {InvalidFieldsError} If a frame, row or code is invalid; names it.
 */
export function clipFromFields(
  field: Clip,
  pointer: string,
  { codebookSize, framesPerCode }: Pick<
    VisionModel,
    "codebookSize" | "framesPerCode"
  >,
): CodeClip {
  const frames = field.codes.map((codes, i) =>
    gridFromCodes(codes, `${pointer}/codes/${i}`, codebookSize)
  );
  const { height, width } = frames[0]!;
  checkStated(field.frames, frames.length, `${pointer}/frames`);
  checkStated(field.height, height, `${pointer}/height`);
  checkStated(field.width, width, `${pointer}/width`);
  const area = height * width;
  const codes = new Uint16Array(frames.length * area);
  for (const [i, frame] of frames.entries()) {
    if (frame.height !== height || frame.width !== width) {
      throw invalidField(
        `${pointer}/codes/${i}`,
        `expected ${height} rows of ${width} codes, as in the first frame`,
      );
    }
    codes.set(frame.codes, i * area);
  }
  const stills = stillsOf(
    field.frames_per_code,
    framesPerCode,
    `${pointer}/frames_per_code`,
  );
  return { frames: frames.length, height, width, ...stills, codes };
}

/**
 * Returns the entry of a clip of stills; empty for clips as the vision
 * tokenizer encodes them.
 *
 * @param stated Frames of pixels per frame of codes, if the request has them.
 * @throws {InvalidFieldsError} If the vision tokenizer has no such codes.
 */
export function stillsOf(
  stated: number | undefined,
  framesPerCode: number,
  pointer: string,
): Pick<CodeClip, "framesPerCode"> {
  if (stated === undefined || stated === framesPerCode) return {};
  if (stated === 1) return { framesPerCode: 1 };
  throw invalidField(pointer, `expected 1 or ${framesPerCode}`);
}

/** Returns `grid` in the form of a body. */
export function gridFields(grid: CodeGrid): GridFields {
  const { height, width } = grid;
  return { height, width, codes: rowsFromGrid(grid) };
}

/** Returns `clip` in the form of a body. */
export function clipFields(clip: CodeClip): ClipFields {
  const { frames, height, width, framesPerCode } = clip;
  const codes = Array.from(
    { length: frames },
    (_, i) => rowsFromGrid(clipFrame(clip, i)),
  );
  return {
    frames,
    height,
    width,
    ...(framesPerCode === 1 && { "frames_per_code": 1 }),
    codes,
  };
}

/**
 * Returns the grid of `codes`.
 *
 * @param pointer JSON pointer to the rows.
 */
function gridFromCodes(
  rows: Grid["codes"],
  pointer: string,
  codebookSize: number,
): CodeGrid {
  const height = rows.length;
  const width = rows[0]!.length;
  const codes = new Uint16Array(height * width);
  for (const [y, row] of rows.entries()) {
    if (row.length !== width) {
      throw invalidField(
        `${pointer}/${y}`,
        `expected ${width} codes, as in the first row`,
      );
    }
    const bad = row.findIndex((code) => code >= codebookSize);
    if (bad !== -1) {
      throw invalidField(
        `${pointer}/${y}/${bad}`,
        `expected a code from 0 to ${codebookSize - 1}`,
      );
    }
    codes.set(row, y * width);
  }
  return { height, width, codes };
}

function checkStated(
  stated: number | undefined,
  actual: number,
  pointer: string,
): void {
  if (stated === undefined || stated === actual) return;
  throw invalidField(pointer, `the codes have ${actual}`);
}
