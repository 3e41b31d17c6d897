import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import type { LocatedTensor } from "../../../lib/loading/stored_tensor.ts";
import { findQuantizedMatrix } from "../../../lib/loading/quantized_matrix.ts";

function located(dtype: string, shape: readonly number[]): LocatedTensor {
  return { dtype, shape, offset: 100, length: 64, path: "/models/a" };
}

/** A matrix [4, 256] of 4 bits in blocks of 128. */
const sound: Record<string, LocatedTensor> = {
  "w_packed": located("I32", [4, 32]),
  "w_scale": located("F32", [4, 2]),
};
const shape = [4, 256] as const;

function found(tensors: Record<string, LocatedTensor>) {
  return findQuantizedMatrix((name) => tensors[name], "w", shape);
}

Deno.test("findQuantizedMatrix() derives bits and blocks from the shapes", () => {
  const four = found(sound)!;
  strictEqual(four.bits, 4);
  strictEqual(four.blockSize, 128);
  deepStrictEqual(four.codes, {
    dtype: "uint8",
    shape: [4, 2, 64],
    location: "models/a",
    offset: 100,
    length: 64,
  });
  const eight = found({
    "w_packed": located("I32", [4, 64]),
    "w_scale": located("BF16", [4, 8]),
  })!;
  strictEqual(eight.bits, 8);
  strictEqual(eight.blockSize, 32);
  deepStrictEqual(eight.codes.shape, [4, 8, 32]);
  strictEqual(eight.scales.dtype, "bfloat16");
});

Deno.test("findQuantizedMatrix() returns undefined if weights are floats", () => {
  strictEqual(found({ w: located("F32", [4, 256]) }), undefined);
});

const damaged: Record<string, [Record<string, LocatedTensor>, RegExp]> = {
  "has no scales": [
    { "w_packed": sound["w_packed"]! },
    /"w_scale" is missing/,
  ],
  "has zero points": [
    { ...sound, "w_zero_point": located("I32", [1, 2]) },
    /only symmetric quantization is supported/,
  ],
  "reorders its columns": [
    { ...sound, "w_g_idx": located("I32", [256]) },
    /only symmetric quantization is supported/,
  ],
  "packs into bytes": [
    { ...sound, "w_packed": located("U8", [4, 128]) },
    /expected I32 and floats/,
  ],
  "has integer scales": [
    { ...sound, "w_scale": located("I32", [4, 2]) },
    /expected I32 and floats/,
  ],
  "has too few rows": [
    { ...sound, "w_packed": located("I32", [3, 32]) },
    /do not form a matrix \[4,256\]/,
  ],
  "has codes of 3 bits": [
    { ...sound, "w_packed": located("I32", [4, 24]) },
    /do not form a matrix/,
  ],
  "has blocks that do not divide a row": [
    { ...sound, "w_scale": located("F32", [4, 3]) },
    /do not form a matrix/,
  ],
};

for (const [what, [tensors, message]] of Object.entries(damaged)) {
  Deno.test(`findQuantizedMatrix() refuses a matrix that ${what}`, () => {
    throws(() => found(tensors), (error) => {
      ok(error instanceof CheckpointError);
      strictEqual(error.file, "/models/a");
      ok(message.test(error.message), error.message);
      return true;
    });
  });
}
