/**
 * The rules of chains that need no server: agreement, ranks, answers, rows.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { INPUT_FORMATS } from "../../../deploy/prepare/data_formats.ts";
import {
  namedShare,
  namedWords,
} from "../../../deploy/workflows/chains/agreement.ts";
import {
  accepts,
  amendedPrompt,
} from "../../../deploy/workflows/chains/answers.ts";
import { indexOfBest } from "../../../deploy/workflows/chains/best_of.ts";
import { goodRows } from "../../../deploy/workflows/chains/good_rows.ts";
import { keptRows, restyled } from "../../../deploy/workflows/chains/remix.ts";
import { PrepareInput } from "../../../deploy/workflows/schema/prepare.ts";

Deno.test("namedWords() finds words in any case and number", () => {
  deepStrictEqual(
    namedWords("Two red apples on a table", "There are two apple trees."),
    { named: ["two", "apple"], missing: ["red", "table"] },
  );
});

Deno.test("namedShare() is 1 for the prompt itself, and for no words", () => {
  fc.assert(fc.property(fc.string(), (prompt) => {
    strictEqual(namedShare(prompt, prompt), 1);
  }));
  strictEqual(namedShare("a picture of the", ""), 1);
});

Deno.test("indexOfBest() by caption prefers named words, then gain, then the first", () => {
  const best = (...pictures: readonly [number, number | null][]) =>
    indexOfBest(
      pictures.map(([named, gain]) => ({ named, gain, logprob: -1 })),
      "caption",
    );
  strictEqual(best([0.5, 9], [1, 0]), 1);
  strictEqual(best([1, 1], [1, 2]), 1);
  strictEqual(best([1, null], [1, -3]), 1);
  strictEqual(best([1, 1], [1, 1]), 0);
});

Deno.test("indexOfBest() by score prefers the likelier picture", () => {
  const best = (...logprobs: readonly (number | null)[]) =>
    indexOfBest(logprobs.map((logprob) => ({ gain: 1, logprob })), "score");
  strictEqual(best(-2, -1, -3), 1);
  strictEqual(best(null, -9), 1);
  strictEqual(best(null, null), 0);
});

Deno.test("accepts() looks for whole words in order", () => {
  ok(accepts(["three"], "There are Three."));
  ok(accepts(["no", "light blue"], "It is light-blue!"));
  ok(!accepts(["red"], "It is covered."));
  ok(!accepts(["light blue"], "blue light"));
});

Deno.test("amendedPrompt() adds what was asked for, or the first accepted answer", () => {
  const requirements = [
    { question: "What color?", expect: ["red", "crimson"] },
    { question: "Where?", expect: ["left"], amend: "on the left" },
  ];
  strictEqual(amendedPrompt("a cat", requirements), "a cat, red, on the left");
});

Deno.test("goodRows() keeps the rows before the first that stands out", () => {
  const before = [-10, -11, -10, -12, -10];
  strictEqual(goodRows(before, [-10, -11, -10, -30, -10]), 3);
  strictEqual(goodRows(before, [-90, -11, -10, -12, -10]), 0);
});

Deno.test("goodRows() keeps no row if none stands out, and leaves one to draw", () => {
  const rows = fc.array(fc.double({ min: -1e6, max: 0, noNaN: true }), {
    minLength: 1,
    maxLength: 90,
  });
  fc.assert(fc.property(rows, (before) => {
    strictEqual(goodRows(before, before), 0);
    strictEqual(goodRows(before, before.map((row) => row - 5)), 0);
  }));
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat(100)), (before, noise) => {
      const after = before.map((row) => row - noise.next().value!);
      ok(goodRows(before, after) < before.length);
    }),
  );
});

Deno.test("goodRows() takes rows without a finite value as unchanged", () => {
  strictEqual(goodRows([null, -1, -1], [-1, null, -9]), 2);
});

Deno.test("restyled() adds the style to a caption without its period", () => {
  strictEqual(restyled("A cat.", "at night"), "A cat, at night");
  strictEqual(restyled("A cat. ", undefined), "A cat. ");
});

Deno.test("keptRows() keeps the first rows, and leaves the others to draw", () => {
  deepStrictEqual(keptRows({ codes: [[1, 2], [3, 4]] }, 1), {
    codes: [[1, 2], [null, null]],
  });
});

Deno.test("the chain prepare has every format of input", () => {
  const { options } = PrepareInput.entries.format.wrapped.pipe[0];
  deepStrictEqual(options, [...INPUT_FORMATS]);
});
