import { deepStrictEqual, rejects } from "node:assert/strict";
import fc from "fast-check";
import { decodeBase64 } from "../../../functions/http/base64.ts";
import { SLICE } from "../../../functions/metrics/event_loop.ts";

/** White space of `length` characters, to push text across slices. */
const gap = (length: number) => " \n".repeat(length).slice(0, length);

Deno.test("decodeBase64() agrees with fromBase64(), wherever slices end", async () => {
  const anyText = fc.record({
    bytes: fc.uint8Array({ maxLength: 12 }),
    before: fc.integer({ min: SLICE - 20, max: SLICE }),
    at: fc.nat({ max: 16 }),
    after: fc.nat({ max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(anyText, async ({ bytes, before, at, after }) => {
      const base64 = bytes.toBase64();
      const split = Math.min(at, base64.replaceAll("=", "").length);
      const text = base64.slice(0, split) + gap(before) +
        base64.slice(split) + gap(after);
      deepStrictEqual(await decodeBase64(text), bytes);
    }),
    { numRuns: 30 },
  );
});

Deno.test("decodeBase64() decodes long texts", async () => {
  const bytes = new Uint8Array(SLICE + 1001).map((_, i) => 31 * i);
  deepStrictEqual(await decodeBase64(bytes.toBase64()), bytes);
});

Deno.test("decodeBase64() refuses invalid base64 of any length", async () => {
  for (const wrong of ["A", "A===", "!", "AA=A", "A=A=", "====", "é"]) {
    await rejects(decodeBase64(wrong), SyntaxError);
    await rejects(decodeBase64("A".repeat(2 * SLICE) + wrong), SyntaxError);
  }
  await rejects(decodeBase64(`AA==${gap(2 * SLICE)}`), SyntaxError);
});
