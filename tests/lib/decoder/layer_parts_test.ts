import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { defaultParts, layerParts } from "../../../lib/decoder/layer_parts.ts";

const CPU = { device: undefined, threads: 2, sharesWeights: true };
const LARGE = { codeBits: 4, byteLength: 5.6e9 } as const;

Deno.test("layerParts() covers all layers in order, in parts whose sizes differ by one at most", () => {
  const counts = [fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1 })];
  fc.assert(fc.property(counts[0]!, counts[1]!, (layers, most) => {
    const parts = layerParts(layers, most);
    strictEqual(parts.length, Math.min(layers, most));
    const all = parts.flatMap(({ start, end }) =>
      Array.from({ length: end - start }, (_, i) => start + i)
    );
    deepStrictEqual(all, Array.from(Array(layers).keys()));
    const sizes = parts.map(({ start, end }) => end - start);
    ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
  }));
});

Deno.test("defaultParts() is the number of threads for large quantized weights, 4 at most", () => {
  strictEqual(defaultParts(CPU, LARGE), 2);
  strictEqual(defaultParts({ ...CPU, threads: 1 }, LARGE), 1);
  strictEqual(defaultParts({ ...CPU, threads: 64 }, LARGE), 4);
});

Deno.test("defaultParts() is 1 for small or float weights, on devices, and without shared weights", () => {
  strictEqual(defaultParts(CPU, { ...LARGE, byteLength: 1e9 }), 1);
  strictEqual(defaultParts(CPU, { ...LARGE, codeBits: undefined }), 1);
  strictEqual(defaultParts({ ...CPU, device: {} as never }, LARGE), 1);
  strictEqual(defaultParts({ ...CPU, sharesWeights: false }, LARGE), 1);
});
