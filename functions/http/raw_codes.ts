/**
 * The binary forms of codes: raw integers and .npy.
 *
 * ```text
 * application/octet-stream   u16 little-endian, row by row; sizes in X-Grid-* headers
 * application/x-npy          NumPy's .npy, [H, W] or [T, H, W]
 * ```
 *
 * @module
 */

import { assertCodes } from "../../lib/grid.ts";
import { type NpyArray, NpyError, readNpy, writeNpy } from "../../lib/npy.ts";
import { MAX_BINARY_CODES } from "./body_limits.ts";
import { type Codes, isClip } from "./grid_json.ts";
import { invalidField, MalformedBodyError } from "./errors/errors.ts";

/** A media type of bare codes. */
export type BinaryType = "application/octet-stream" | "application/x-npy";

/** Media types of bare codes, the plainer first. */
export const BINARY_TYPES: readonly BinaryType[] = [
  "application/octet-stream",
  "application/x-npy",
];

/** The header with the frames of pixels per frame of codes of a clip. */
export const PER_CODE_HEADER = "x-grid-frames-per-code";

/** Returns true if `type` is a media type of bare codes. */
export function isBinaryType(type: string): type is BinaryType {
  return BINARY_TYPES.some((binary) => binary === type);
}

/** A body and the headers it needs. */
export interface BinaryAnswer {
  /** Body of the answer. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Headers with media type and sizes. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Returns the codes in `bytes`.
 *
 * @param headers Headers of the request.
 * @throws {MalformedBodyError} If bytes and sizes do not agree.
 * @throws {InvalidFieldsError} If the shape is not that of a grid.
 * @throws {GridError} If a code is not in the codebook.
 */
export function readBinaryCodes(
  bytes: Uint8Array<ArrayBuffer>,
  type: BinaryType,
  headers: Headers,
  codebookSize: number,
): Codes {
  const { shape, values } = type === "application/x-npy"
    ? readNpyBody(bytes)
    : readPlain(bytes, headers);
  if (shape.length < 2 || shape.length > 3 || shape.includes(0)) {
    throw invalidField("", "expected codes of shape [H, W] or [T, H, W]");
  }
  assertCodes(values, codebookSize);
  const codes = Uint16Array.from(values);
  const [width, height, frames] = shape.toReversed();
  const grid = { height: height!, width: width!, codes };
  return frames === undefined ? grid : { frames, ...grid };
}

function readNpyBody(bytes: Uint8Array): NpyArray {
  try {
    return readNpy(bytes, MAX_BINARY_CODES);
  } catch (cause) {
    if (!(cause instanceof NpyError)) throw cause;
    if (cause.kind === "unacceptable") throw invalidField("", cause.message);
    throw new MalformedBodyError(cause.message, { cause });
  }
}

/** Returns the answer with `codes` in the form of `type`. */
export function binaryAnswer(codes: Codes, type: BinaryType): BinaryAnswer {
  const { height, width } = codes;
  const shape = isClip(codes) ? [codes.frames, height, width] : [height, width];
  const headers: Record<string, string> = {
    "content-type": type,
    "x-grid-height": `${height}`,
    "x-grid-width": `${width}`,
  };
  if (isClip(codes)) {
    headers["x-grid-frames"] = `${codes.frames}`;
    const { framesPerCode } = codes;
    if (framesPerCode !== undefined) {
      headers[PER_CODE_HEADER] = `${framesPerCode}`;
    }
  }
  const body = type === "application/x-npy"
    ? writeNpy(shape, codes.codes)
    : littleEndian(codes.codes);
  return { body, headers };
}

function readPlain(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Headers,
): { shape: number[]; values: Float64Array } {
  const height = side(headers, "X-Grid-Height");
  const width = side(headers, "X-Grid-Width");
  const shape = headers.has("X-Grid-Frames")
    ? [side(headers, "X-Grid-Frames"), height, width]
    : [height, width];
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > MAX_BINARY_CODES) {
    throw invalidField("", `expected at most ${MAX_BINARY_CODES} codes`);
  }
  if (bytes.length !== 2 * count) {
    throw new MalformedBodyError(
      `it has ${bytes.length} bytes, ${shape.join(" × ")} codes take ${
        2 * count
      }`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(2 * i, true);
  return { shape, values };
}

function side(headers: Headers, name: string): number {
  const text = headers.get(name) ?? "";
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new MalformedBodyError(
      `set the header ${name} to the number of codes, a whole number above 0`,
    );
  }
  return Number(text);
}

function littleEndian(codes: Uint16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * codes.length);
  const view = new DataView(bytes.buffer);
  codes.forEach((code, i) => view.setUint16(2 * i, code, true));
  return bytes;
}
