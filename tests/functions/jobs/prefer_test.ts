import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { asyncPreference } from "../../../functions/jobs/prefer.ts";

const GIVEN: readonly (readonly [
  string | undefined,
  number | undefined,
  string?,
])[] = [
  [undefined, undefined],
  ["", undefined],
  ["return=minimal", undefined],
  ["respond-async", 0, "respond-async"],
  ["Respond-Async", 0, "respond-async"],
  ["wait=10", 10, "wait=10"],
  ["wait = 10", 10, "wait=10"],
  ['wait="10"', 10, "wait=10"],
  ["wait=0", 0, "wait=0"],
  ["wait", undefined],
  ["wait=soon", undefined],
  ["wait=-1", undefined],
  ["wait=1.5", undefined],
  ["respond-async, wait=soon", 0, "respond-async"],
  ["wait=10, respond-async", 10, "respond-async, wait=10"],
  ["respond-async;foo=bar;baz, wait=3; x", 3, "respond-async, wait=3"],
  ["wait=1, wait=2", 1, "wait=1"],
  ["wait=99999999999999999999", 3600, "wait=3600"],
  ['a="b, respond-async", c', undefined],
  ['a="\\", respond-async"', undefined],
  ['a="b" , respond-async', 0, "respond-async"],
  ['a; p="x, wait=5"', undefined],
  ["respond-async=no", 0, "respond-async"],
  ["not-respond-async", undefined],
];

Deno.test("asyncPreference() parses a header as RFC 7240 specifies", () => {
  for (const [header, waitSeconds, applied] of GIVEN) {
    deepStrictEqual(
      asyncPreference(header),
      waitSeconds === undefined ? undefined : { waitSeconds, applied },
      `${header}`,
    );
  }
});

const anyToken = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
  .filter((name) => name !== "wait" && name !== "respond-async");
const anyQuoted = fc.stringMatching(/^[ -~]{0,12}$/)
  .map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
const anyWord = fc.oneof(anyToken, anyQuoted);
const anyOther = fc.tuple(anyToken, fc.option(anyWord), fc.array(anyWord))
  .map(([name, value, parameters]) =>
    [
      value === null ? name : `${name}=${value}`,
      ...parameters.map((word, i) => `p${i}=${word}`),
    ].join("; ")
  );

Deno.test("asyncPreference() ignores other preferences", () => {
  fc.assert(
    fc.property(
      fc.array(anyOther, { maxLength: 4 }),
      fc.array(anyOther, { maxLength: 4 }),
      fc.nat(3600),
      (before, after, seconds) => {
        const others = [...before, ...after].join(", ");
        strictEqual(asyncPreference(others), undefined, others);
        const header = [...before, `wait=${seconds}`, ...after].join(",");
        strictEqual(asyncPreference(header)?.waitSeconds, seconds, header);
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("asyncPreference() accepts any header", () => {
  fc.assert(fc.property(fc.string(), (header) => {
    const seconds = asyncPreference(header)?.waitSeconds ?? 0;
    strictEqual(Number.isInteger(seconds), true);
  }));
});
