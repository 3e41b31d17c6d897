import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  partBytesOf,
  partsOf,
  prefixBytesOf,
} from "../../../../deploy/cache/transfer/parts.ts";

Deno.test("partsOf() covers every byte once, in order", () => {
  fc.assert(fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 999 }), (
    size,
    partBytes,
  ) => {
    let at = 0;
    for (const { start, end } of partsOf(size, partBytes)) {
      strictEqual(start, at);
      ok(end - start <= partBytes);
      ok(end > start || size === 0);
      at = end;
    }
    strictEqual(at, size);
  }));
});

Deno.test("frontOf() returns the offset of the first missing part", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1_000 }),
    fc.array(fc.nat(9)),
    (size, here) => {
      const parts = partsOf(size, Math.ceil(size / 10));
      const set = new Set(here);
      const front = prefixBytesOf(parts, set);
      for (const [i, { start, end }] of parts.entries()) {
        if (end <= front && end > start) ok(set.has(i));
        if (start === front) ok(!set.has(i) || size === front);
      }
    },
  ));
});

Deno.test("partBytesOf() returns a power of two that divides a file into some dozens of parts", () => {
  const mebibyte = 2 ** 20;
  strictEqual(partBytesOf(0), 8 * mebibyte);
  strictEqual(partBytesOf(100 * mebibyte), 8 * mebibyte);
  strictEqual(partBytesOf(1_024 * mebibyte), 16 * mebibyte);
  strictEqual(partBytesOf(5_000 * mebibyte), 64 * mebibyte);
  strictEqual(partBytesOf(500_000 * mebibyte), 64 * mebibyte);
});
