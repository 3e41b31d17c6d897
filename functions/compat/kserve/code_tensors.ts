/**
 * The conversion of codes ⇄ tensors.
 *
 * @module
 */

import { assertCodes, type CodeGrid } from "../../../lib/grid.ts";
import { type Codes, isClip } from "../../http/grid_json.ts";
import { invalidField } from "../../http/errors/errors.ts";
import type { Inference } from "./served_model.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Returns the codes in tensor `codes`; undefined if it was not sent.
 *
 * @throws {InvalidFieldsError} If its shape is not that of a grid or clip.
 * @throws {GridError} If a code is not in the codebook.
 */
export function codesInput(
  { inputs }: Pick<Inference, "inputs">,
  codebookSize: number,
): Codes | undefined {
  const tensor = inputs.get("codes");
  if (tensor?.datatype !== "UINT16") return undefined;
  const { shape, values: codes } = tensor;
  const [width, height, frames] = shape.toReversed();
  if (shape.length > 3 || width === undefined || height === undefined) {
    throw invalidField("/codes", "expected the shape [H, W] or [T, H, W]");
  }
  assertCodes(codes, codebookSize);
  return frames === undefined
    ? { height, width, codes }
    : { frames, height, width, codes };
}

/** Returns `codes` as a tensor, `[H, W]` or `[T, H, W]`. */
export function codesTensor(codes: Codes): Tensor {
  const { height, width, codes: values } = codes;
  const shape = isClip(codes) ? [codes.frames, height, width] : [height, width];
  return { datatype: "UINT16", shape, values };
}

/** Returns the codes of pictures of one size, `[H, W]` or `[n, H, W]`. */
export function gridsTensor(grids: readonly CodeGrid[]): Tensor {
  const [first, ...more] = grids;
  const { height, width } = first!;
  if (more.length === 0) return codesTensor(first!);
  const values = new Uint16Array(grids.length * height * width);
  for (const [i, { codes }] of grids.entries()) {
    values.set(codes, i * height * width);
  }
  return { datatype: "UINT16", shape: [grids.length, height, width], values };
}

/** Returns files as a tensor, `[n]`. */
export function filesTensor(
  files: readonly Uint8Array<ArrayBuffer>[],
): Tensor {
  return { datatype: "BYTES", shape: [files.length], values: files };
}

/** Returns text as a tensor, `[1]`. */
export function textTensor(text: string): Tensor {
  return { datatype: "BYTES", shape: [1], values: [text] };
}
