import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { composeText } from "../../../lib/text/compose.ts";

/** Every mark of Unicode, including those that are reordered with none. */
const MARKS = Array.from(
  { length: 0x110000 },
  (_, code) => code,
).filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => /\p{M}/u.test(character));

const anyRun = fc.array(fc.constantFrom(...MARKS), {
  minLength: 28,
  maxLength: 80,
}).map((marks) => marks.join(""));

const anyText = fc.array(
  fc.oneof(anyRun, fc.string({ unit: "binary" }), fc.constantFrom("a", "가")),
  { maxLength: 6 },
).map((parts) => parts.join(""));

Deno.test("composeText() composes as normalize() does", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      strictEqual(composeText(text), text.normalize("NFC"));
    }),
    { numRuns: 500 },
  );
});

Deno.test("composeText() composes runs of every mark as normalize() does", () => {
  for (let start = 0; start < MARKS.length; start += 60) {
    const run = MARKS.slice(start, start + 60);
    for (const text of [run.join(""), `e${run.toReversed().join("")}`]) {
      strictEqual(composeText(text), text.normalize("NFC"));
    }
  }
});

Deno.test("composeText() orders 200,000 marks", () => {
  const half = 100_000;
  strictEqual(
    composeText("a" + "\u0301\u0316".repeat(half)),
    "á" + "\u0316".repeat(half) + "\u0301".repeat(half - 1),
  );
});
