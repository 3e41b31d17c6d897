/** Laws of a small model's vocabulary: random prompts and unknown words. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  surprise,
  unknownText,
  unknownWords,
} from "../../../../functions/playground/logic/known_words.js";

const { subjects, known_words: words } = JSON.parse(
  await Deno.readTextFile(
    new URL(
      "../../../../models/emu3-mini/generation_config.json",
      import.meta.url,
    ),
  ),
);

Deno.test("unknownWords() returns each unknown word once", () => {
  deepStrictEqual(unknownWords("A dragon, a cat and a Dragon!", words), [
    "dragon",
  ]);
  deepStrictEqual(
    unknownWords("Three apples on a BLUE background.", words),
    [],
  );
  deepStrictEqual(unknownWords("ein Kätzchen", words), ["ein", "kätzchen"]);
  deepStrictEqual(unknownWords("anything at all", []), []);
});

Deno.test("unknownText() lists three words and counts the others", () => {
  strictEqual(unknownText([]), "");
  match(unknownText(["x"]), /does not know “x”; it will/);
  match(unknownText(["a", "b", "c", "d", "e"]), /“a”, “b”, “c” and 2 more;/);
});

Deno.test("surprise() returns a prompt of two subjects in known words", () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (stream) => {
        const random = () => stream.next().value!;
        const prompt = surprise(subjects, words, random);
        deepStrictEqual(unknownWords(prompt, words), []);
        const named = subjects.filter((one: string) =>
          new RegExp(`\\b${one}\\b`).test(prompt)
        );
        strictEqual(named.length, 2, prompt);
        ok(!/\ba [aeiou]/.test(prompt), prompt);
      },
    ),
  );
});
