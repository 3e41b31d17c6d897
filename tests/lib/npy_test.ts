import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { readNpy, writeNpy } from "../../lib/npy.ts";

/** Returns a .npy as NumPy writes it. */
function npy(
  descr: string,
  shape: string,
  data: Uint8Array,
  { fortran = false, major = 1 } = {},
): Uint8Array<ArrayBuffer> {
  const order = fortran ? "True" : "False";
  const header =
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
  const length = major === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return Uint8Array.from([
    ...[..."\x93NUMPY"].map((c) => c.charCodeAt(0)),
    major,
    0,
    ...length,
    ...new TextEncoder().encode(header),
    ...data,
  ]);
}

const dtypes: readonly [string, (view: DataView, value: number) => void][] = [
  ["|u1", (view, value) => view.setUint8(0, value)],
  ["|i1", (view, value) => view.setInt8(0, value)],
  ["<u2", (view, value) => view.setUint16(0, value, true)],
  [">u2", (view, value) => view.setUint16(0, value)],
  ["<i4", (view, value) => view.setInt32(0, value, true)],
  [">u4", (view, value) => view.setUint32(0, value)],
  ["<i8", (view, value) => view.setBigInt64(0, BigInt(value), true)],
  [">i8", (view, value) => view.setBigInt64(0, BigInt(value))],
  ["=u8", (view, value) => view.setBigUint64(0, BigInt(value), true)],
];

Deno.test("readNpy() inverts writeNpy()", () => {
  const sides = fc.tuple(fc.nat(5), fc.nat(5)).map(([h, w]) => [h + 1, w + 1]);
  fc.assert(fc.property(sides, ([height, width]) => {
    const codes = Uint16Array.from(
      { length: height! * width! },
      (_, i) => i * 9,
    );
    const { shape, values } = readNpy(writeNpy([height!, width!], codes));
    deepStrictEqual(shape, [height, width]);
    deepStrictEqual([...values], [...codes]);
  }));
});

Deno.test("writeNpy() starts the data at a multiple of 64 bytes", () => {
  const codes = Uint16Array.of(1, 2, 3, 4);
  for (const shape of [[2, 2], [1, 2, 2]]) {
    const bytes = writeNpy(shape, codes);
    strictEqual((bytes.length - 2 * codes.length) % 64, 0);
    deepStrictEqual([...bytes.subarray(-8)], [1, 0, 2, 0, 3, 0, 4, 0]);
  }
});

for (const [dtype, write] of dtypes) {
  Deno.test(`readNpy() reads dtype ${dtype}`, () => {
    const size = Number(dtype.at(-1));
    const data = new Uint8Array(2 * size);
    write(new DataView(data.buffer, 0), 1);
    write(new DataView(data.buffer, size), 97);
    for (const major of [1, 2, 3]) {
      const { shape, values } = readNpy(npy(dtype, "(1, 2)", data, { major }));
      deepStrictEqual(shape, [1, 2]);
      deepStrictEqual([...values], [1, 97]);
    }
  });
}

Deno.test("readNpy() reads Fortran order", () => {
  // The columns of [[0, 1, 2], [3, 4, 5]].
  const columns = Uint8Array.of(0, 3, 1, 4, 2, 5);
  const flat = npy("|u1", "(2, 3)", columns, { fortran: true });
  deepStrictEqual([...readNpy(flat).values], [0, 1, 2, 3, 4, 5]);
  // [[[0, 1], [2, 3]], [[4, 5], [6, 7]]], first axis fastest.
  const cube = Uint8Array.of(0, 4, 2, 6, 1, 5, 3, 7);
  const deep = npy("|u1", "(2, 2, 2)", cube, { fortran: true });
  deepStrictEqual([...readNpy(deep).values], [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("readNpy() keeps negative numbers", () => {
  deepStrictEqual(
    [...readNpy(npy("|i1", "(1, 1)", Uint8Array.of(255))).values],
    [
      -1,
    ],
  );
});

Deno.test("readNpy() refuses dtypes other than integers", () => {
  for (const dtype of ["<f4", "|b1", "<c8", "|O", "<U3", "<i3"]) {
    throws(
      () => readNpy(npy(dtype, "(1, 1)", new Uint8Array(4))),
      { name: "NpyError", kind: "unacceptable" },
    );
  }
});

Deno.test("readNpy() refuses incomplete .npy files", () => {
  const good = npy("<u2", "(1, 2)", new Uint8Array(4));
  const bad = [
    new Uint8Array(),
    Uint8Array.of(1, 2, 3),
    good.slice(0, 7),
    good.slice(0, 9),
    good.slice(0, 40),
    good.slice(0, -1),
    Uint8Array.from([...good, 0]),
    npy("<u2", "(1, 2)", new Uint8Array(4), { major: 4 }),
    npy("<u2", "nothing", new Uint8Array(4)),
    npy("<u2", "(-1, 2)", new Uint8Array(4)),
  ];
  for (const bytes of bad) {
    throws(() => readNpy(bytes), { name: "NpyError", kind: "malformed" });
  }
});

Deno.test("readNpy() refuses a header longer than the limit", () => {
  throws(
    () => readNpy(npy("|u1", "(99999999, 99999999)", new Uint8Array(1)), 9),
    { name: "NpyError", kind: "unacceptable" },
  );
});
