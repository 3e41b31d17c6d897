import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { joinParts, SpecialSplitter } from "../../../lib/text/special_split.ts";

const specials = new Map([["<|a|>", 10], ["<|a|>b", 11], ["#", 12]]);
const splitter = new SpecialSplitter(specials);

Deno.test("split() finds special tokens between ordinary text", () => {
  deepStrictEqual(splitter.split("x<|a|>y#"), ["x", 10, "y", 12]);
});

Deno.test("split() takes the longest name", () => {
  deepStrictEqual(splitter.split("<|a|>b<|a|>c"), [11, 10, "c"]);
});

Deno.test("split() leaves text that only starts like a special token", () => {
  deepStrictEqual(splitter.split("<|a<|b|><|a|>"), ["<|a<|b|>", 10]);
});

Deno.test("split() loses nothing, and leaves no empty part", () => {
  const names = new Map([...specials].map(([name, token]) => [token, name]));
  const text = fc.array(fc.constantFrom("<|a|>", "b", "#", "<", "|a", "é"));
  fc.assert(fc.property(text, (pieces) => {
    const parts = splitter.split(pieces.join(""));
    const spelled = parts.map((part) =>
      typeof part === "string" ? part : names.get(part)
    );
    deepStrictEqual(spelled.join(""), pieces.join(""));
    return !parts.includes("");
  }));
});

Deno.test("joinParts() puts tokens of texts between special ones", () => {
  deepStrictEqual(
    joinParts([10, "x", 11, "y"], [Int32Array.of(1, 2), Int32Array.of()]),
    Int32Array.of(10, 1, 2, 11),
  );
});
