import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  bytesFromTensor,
  elementCount,
  jsonFromTensor,
  TensorError,
  tensorFromBytes,
  tensorFromJson,
} from "../../../../functions/compat/kserve/tensor.ts";

const anyShape = fc.array(fc.nat({ max: 5 }), { maxLength: 4 });
const anyBytes = fc.uint8Array({ maxLength: 64 })
  .map((bytes) => new Uint8Array(bytes));

/** Arbitrary tensors of any shape whose values fit. */
const anyCodes = anyShape.chain((shape) => {
  const count = elementCount(shape);
  return fc.array(fc.nat({ max: 65_535 }), {
    minLength: count,
    maxLength: count,
  }).map((values) => ({
    datatype: "UINT16" as const,
    shape,
    values: Uint16Array.from(values),
  }));
});

const anyElements = anyShape.chain((shape) => {
  const count = elementCount(shape);
  return fc.array(anyBytes, { minLength: count, maxLength: count })
    .map((values) => ({ datatype: "BYTES" as const, shape, values }));
});

/** Returns `flat` as nested arrays. */
function nested(flat: readonly unknown[], shape: readonly number[]): unknown {
  const [length, ...inner] = shape;
  if (length === undefined) return flat[0];
  const step = elementCount(inner);
  return Array.from(
    { length },
    (_, i) => nested(flat.slice(i * step, (i + 1) * step), inner),
  );
}

Deno.test("tensorFromBytes() inverts bytesFromTensor()", () => {
  fc.assert(fc.property(fc.oneof(anyCodes, anyElements), (tensor) => {
    const { datatype, shape } = tensor;
    const back = tensorFromBytes(datatype, shape, bytesFromTensor(tensor));
    strictEqual(back.datatype, datatype);
    deepStrictEqual(
      [...back.values].map((value) =>
        typeof value === "object" ? [...value] : value
      ),
      [...tensor.values].map((value) =>
        typeof value === "object" ? [...value] : value
      ),
    );
  }));
});

Deno.test("tensorFromJson() inverts jsonFromTensor(), flat and nested", () => {
  fc.assert(fc.property(anyCodes, (tensor) => {
    const { datatype, shape } = tensor;
    const flat = jsonFromTensor(tensor);
    deepStrictEqual(tensorFromJson(datatype, shape, flat), tensor);
    if (shape.length === 0) return;
    const data = nested(flat, shape);
    deepStrictEqual(tensorFromJson(datatype, shape, data), tensor);
  }));
});

Deno.test("tensorFromBytes() throws only TensorError for any bytes", () => {
  const datatype = fc.constantFrom("BYTES" as const, "UINT16" as const);
  const length = fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 2 ** 32 }));
  const shape = fc.array(length, { maxLength: 8 });
  fc.assert(
    fc.property(datatype, shape, anyBytes, (datatype, shape, bytes) => {
      try {
        const tensor = tensorFromBytes(datatype, shape, bytes);
        deepStrictEqual(bytesFromTensor(tensor), bytes);
      } catch (error) {
        ok(error instanceof TensorError, `${error}`);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("tensorFromBytes() refuses a shape that does not match the bytes", () => {
  const one = Uint8Array.of(1, 0, 0, 0, 97);
  const refused: ["BYTES" | "UINT16", number[], Uint8Array<ArrayBuffer>][] = [
    ["UINT16", [2, 2], new Uint8Array(7)],
    ["UINT16", [2 ** 32, 2 ** 32], new Uint8Array(8)],
    ["BYTES", [2], one],
    ["BYTES", [0], one],
    ["BYTES", [1], one.subarray(0, 3)],
    ["BYTES", [1], one.subarray(0, 4)],
    ["BYTES", [1], Uint8Array.of(255, 255, 255, 255, 97)],
    ["BYTES", [1], Uint8Array.of(...one, 0)],
  ];
  for (const [datatype, shape, bytes] of refused) {
    throws(() => tensorFromBytes(datatype, shape, bytes), TensorError);
  }
});

Deno.test("tensorFromJson() refuses invalid elements, too many and too few", () => {
  const refused: ["BYTES" | "UINT16", number[], unknown][] = [
    ["UINT16", [2], undefined],
    ["UINT16", [2], "ab"],
    ["UINT16", [2], [1]],
    ["UINT16", [2], [1, 2, 3]],
    ["UINT16", [1], [[1]]],
    ["UINT16", [1, 1], [[[1]]]],
    ["UINT16", [1], [65_536]],
    ["UINT16", [1], [-1]],
    ["UINT16", [1], [0.5]],
    ["UINT16", [1], ["1"]],
    ["UINT16", [1], [null]],
    ["BYTES", [1], [1]],
    ["BYTES", [1], [["a"]]],
  ];
  for (const [datatype, shape, data] of refused) {
    throws(() => tensorFromJson(datatype, shape, data), TensorError);
  }
});
