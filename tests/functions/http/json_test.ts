import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_JSON_BARE_BYTES,
  MAX_JSON_DEPTH,
  MAX_JSON_ESCAPES,
  MAX_JSON_NODES,
  MAX_JSON_VALUES,
} from "../../../functions/http/body_limits.ts";
import { SLICE } from "../../../functions/metrics/event_loop.ts";
import {
  hasAtMost,
  parseJson,
  parseJsonText,
} from "../../../functions/http/json.ts";
import {
  BodyTooComplexError,
  MalformedBodyError,
} from "../../../functions/http/errors/errors.ts";

const utf8 = new TextEncoder();
const parsed = (text: string) => parseJson(utf8.encode(text));

/** Returns an array of `count` items. */
function listOf(item: string, count: number): string {
  return `[${Array(count).fill(item).join()}]`;
}

Deno.test("parseJson() agrees with JSON.parse()", async () => {
  const anyText = fc.oneof(
    fc.json(),
    fc.string().map((text) => JSON.stringify(text)),
    fc.string(),
  );
  await fc.assert(fc.asyncProperty(anyText, async (text) => {
    let expected: unknown;
    try {
      expected = JSON.parse(text.toWellFormed());
    } catch {
      return await rejects(parsed(text), MalformedBodyError);
    }
    deepStrictEqual(await parsed(text), expected);
    deepStrictEqual(parseJsonText(text.toWellFormed()), expected);
  }));
});

Deno.test("parseJson() reads characters and escapes across slices", async () => {
  for (const unit of ['\\"', "\\\\", "\\u0022", "中", "😀", "x"]) {
    for (const shift of [0, 1, 2, 3, 4, 5, 6]) {
      const fill = "a".repeat(SLICE - 4 - shift);
      const text = `["${fill}${unit}${unit}${unit}",[1,{}]]`;
      deepStrictEqual(await parsed(text), JSON.parse(text));
    }
  }
});

Deno.test("parseJson() accepts structure up to the limits", async () => {
  const most: readonly (readonly [string, string])[] = [
    // The list itself is a value and a node.
    [listOf("0", MAX_JSON_VALUES - 1), listOf("0", MAX_JSON_VALUES)],
    [listOf("{}", MAX_JSON_NODES - 1), listOf("{}", MAX_JSON_NODES)],
    [listOf('""', MAX_JSON_NODES - 1), listOf('""', MAX_JSON_NODES)],
    [
      "[".repeat(MAX_JSON_DEPTH) + "]".repeat(MAX_JSON_DEPTH),
      "[".repeat(MAX_JSON_DEPTH + 1) + "]".repeat(MAX_JSON_DEPTH + 1),
    ],
    [
      `"${"\\/".repeat(MAX_JSON_ESCAPES)}"`,
      `"${"\\/".repeat(MAX_JSON_ESCAPES + 1)}"`,
    ],
    [
      " ".repeat(MAX_JSON_BARE_BYTES - 1) + "0",
      " ".repeat(MAX_JSON_BARE_BYTES) + "0",
    ],
  ];
  for (const [taken, refused] of most) {
    ok(await parsed(taken) !== undefined);
    await rejects(parsed(refused), BodyTooComplexError);
  }
});

Deno.test("parseJson() accepts one string of the maximum body length", async () => {
  const length = 2 ** 25 - 2;
  strictEqual(`${await parsed(`"${"A".repeat(length)}"`)}`.length, length);
});

Deno.test("parseJson() refuses bodies that would exhaust the heap", async () => {
  const size = 2 ** 25;
  const units = ["{},", "[],", '"",', '"a":0,', "[[", '{"a":', "0,", "0", "[{"];
  for (const unit of units) {
    const bytes = utf8.encode(unit.repeat(Math.floor(size / unit.length)));
    await rejects(parseJson(bytes), BodyTooComplexError, unit);
  }
});

Deno.test("hasAtMost() counts every value", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.nat({ max: 30 }), (value, most) => {
    let count = 0;
    JSON.parse(JSON.stringify(value), (_, one) => {
      count++;
      return one;
    });
    strictEqual(hasAtMost(most, value), count <= most);
  }));
});
