/**
 * The command-line parser and its suggestions.
 */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseCommandLine } from "../../lib/command_line.ts";
import { nearestName, suggestion } from "../../lib/nearest_name.ts";

const OPTIONS = {
  port: { type: "string", short: "p" },
  verbose: { type: "boolean" },
} as const;

Deno.test("parseCommandLine() returns options and words", () => {
  const words = ["a", "--port", "9", "--verbose", "b"];
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  deepStrictEqual({ ...values }, { port: "9", verbose: true });
  deepStrictEqual(positionals, ["a", "b"]);
  const after = parseCommandLine(["-p", "1", "--", "--prot"], OPTIONS);
  deepStrictEqual(after.positionals, ["--prot"]);
});

Deno.test("parseCommandLine() refuses unknown options, with the nearest name", () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [
      ["--prot", "9"],
      /^SyntaxError: unknown option --prot: did you mean --port\?$/,
    ],
    [
      ["--prot=9"],
      /^SyntaxError: unknown option --prot: did you mean --port\?$/,
    ],
    [["--something"], /^SyntaxError: unknown option --something$/],
    [["--port"], /port/],
    [["--verbose=1"], /verbose/],
    [["-x"], /-x/],
  ];
  for (const [words, reason] of cases) {
    throws(() => parseCommandLine(words, OPTIONS), reason);
  }
});

Deno.test("nearestName() returns a name with one error, and no dissimilar one", () => {
  const known = ["aspect_ratio", "ratio", "seed", "temperature", "prompt"];
  fc.assert(fc.property(
    fc.constantFrom(...known),
    fc.nat(),
    (name, at) => {
      const i = at % name.length;
      const wrong = `${name.slice(0, i)}x${name.slice(i + 1)}`;
      strictEqual(nearestName(wrong, known), name);
    },
  ));
  strictEqual(nearestName("zzzzzz", known), undefined);
  strictEqual(nearestName("Seed", known), "seed");
  strictEqual(nearestName("seed", []), undefined);
  strictEqual(suggestion("zzzzzz", known), "");
});
