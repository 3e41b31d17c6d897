/** Laws of code blocks and of prompts from file names. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { blocksOf } from "../../../../functions/playground/look/code_pictures.js";
import { wordsOf } from "../../../../functions/playground/look/score.js";

Deno.test("blocksOf() surrounds each code with copies of itself", () => {
  const row = [4, 4, 4, 9, 9, 9];
  deepStrictEqual(blocksOf([4, 9]), { codes: [row, row, row] });
});

Deno.test("wordsOf() returns the words of a file name", () => {
  for (
    const [name, words] of [
      ["cat.jpg", "cat"],
      ["three_red-apples (2).PNG", "three red apples"],
      ["été.webp", "été"],
      ["IMG_0042.jpeg", "IMG"],
      ["a cat", "a cat"],
      ["42.png", ""],
    ] as const
  ) {
    strictEqual(wordsOf(name), words);
  }
});
