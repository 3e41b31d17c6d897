import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BPE } from "@huggingface/tokenizers";
import fc from "fast-check";
import { PairMerger } from "../../../lib/text/byte_pair_merge.ts";

const LETTERS = ["a", "b", "c"];

/** Merges of existing tokens, as training produces them. */
const anyMerges = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 })
  .map((picks) => {
    const tokens = [...LETTERS];
    const merges: [string, string][] = [];
    for (const [i, j] of picks) {
      const left = tokens[i % tokens.length]!;
      const right = tokens[j % tokens.length]!;
      if (tokens.includes(left + right)) continue;
      merges.push([left, right]);
      tokens.push(left + right);
    }
    return { tokens, merges };
  });

const anyPiece = fc.string({
  unit: fc.constantFrom(...LETTERS),
  minLength: 1,
  maxLength: 40,
});

Deno.test("PairMerger merges as the tokenizers library does, given merges", () => {
  const property = fc.property(
    anyMerges,
    anyPiece,
    fc.boolean(),
    ({ tokens, merges }, piece, ignoreMerges) => {
      const ids = new Map(tokens.map((token, id) => [token, id]));
      const library = new BPE({
        type: "BPE",
        vocab: Object.fromEntries(ids),
        merges,
        "ignore_merges": ignoreMerges,
      });
      const ranks = new Map(merges.map((merge, i) => [merge.join(" "), i]));
      const merged: number[] = [];
      new PairMerger({ ids, ranks, ignoreMerges }).encode(piece, merged);
      deepStrictEqual(
        merged.map((id) => tokens[id]),
        library.encode([piece]),
      );
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

/**
 * Merges by tiktoken's loop: the lowest rank of all neighbors, then the
 * leftmost.
 */
function mergeSlowly(piece: string, ids: ReadonlyMap<string, number>) {
  const parts = [...piece];
  for (;;) {
    const ranks = parts.slice(1).map((part, i) =>
      ids.get(parts[i]! + part) ?? Infinity
    );
    const lowest = Math.min(...ranks);
    if (lowest === Infinity) return parts.map((part) => ids.get(part)!);
    parts.splice(ranks.indexOf(lowest), 2, [...ids.keys()][lowest]!);
  }
}

Deno.test("PairMerger merges as tiktoken does, given ranks", () => {
  const property = fc.property(anyMerges, anyPiece, ({ tokens }, piece) => {
    const ids = new Map(tokens.map((token, id) => [token, id]));
    const merged: number[] = [];
    const table = { ids, ranks: undefined, ignoreMerges: false };
    new PairMerger(table).encode(piece, merged);
    deepStrictEqual(merged, mergeSlowly(piece, ids));
  });
  fc.assert(property, { numRuns: 2000 });
});

Deno.test("PairMerger accepts pieces longer than its shared arrays", () => {
  const ids = new Map(["a", "aa", "aaaa"].map((token, id) => [token, id]));
  const merger = new PairMerger({ ids, ranks: undefined, ignoreMerges: true });
  for (const length of [4096, 4097, 2 ** 18]) {
    const tokens: number[] = [];
    merger.encode("a".repeat(length), tokens);
    strictEqual(tokens.length, Math.floor(length / 4) + length % 4);
  }
});

Deno.test("PairMerger omits characters without a token", () => {
  const ids = new Map([["a", 0], ["b", 1], ["ab", 2]]);
  const tokens: number[] = [];
  new PairMerger({ ids, ranks: undefined, ignoreMerges: true })
    .encode("xabx", tokens);
  deepStrictEqual(tokens, [2]);
});
