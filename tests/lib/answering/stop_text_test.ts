import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { StopText } from "../../../lib/answering/stop_text.ts";

/** Two letters, so that whole and partial stops are common. */
const anyText = fc.string({
  unit: fc.constantFrom("a", "b"),
  maxLength: 12,
});
const anyStops = fc.array(
  fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 }),
  { maxLength: 3 },
);

/**
 * Returns the text of `parts` that is released, and true if a stop ended it.
 */
function filtered(parts: readonly string[], stops: readonly string[]) {
  const text = new StopText(stops);
  const released = parts.map((part) => text.push(part));
  return { text: released.join("") + text.finish(), ended: text.ended };
}

/** Returns the same by testing every prefix of the whole text. */
function plainly(text: string, stops: readonly string[]) {
  for (let length = 1; length <= text.length; length++) {
    const soFar = text.slice(0, length);
    const longest = stops.filter((stop) => soFar.endsWith(stop))
      .sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) {
      return { text: soFar.slice(0, length - longest.length), ended: true };
    }
  }
  return { text, ended: false };
}

Deno.test("StopText ends before the stop that is complete first, wherever parts begin", () => {
  fc.assert(fc.property(fc.array(anyText), anyStops, (parts, stops) => {
    deepStrictEqual(filtered(parts, stops), plainly(parts.join(""), stops));
  }));
});

Deno.test("StopText holds back nothing that cannot begin a stop", () => {
  fc.assert(fc.property(anyText, anyText, (text, rest) => {
    const stops = [`!${rest}`];
    strictEqual(new StopText(stops).push(text), text);
    strictEqual(new StopText(stops).push(`${text}!`), text);
  }));
});

Deno.test("StopText returns nothing after it has ended", () => {
  const text = new StopText(["."]);
  deepStrictEqual(
    [text.push("yes. And"), text.push(" more"), text.finish()],
    ["yes", "", ""],
  );
});
