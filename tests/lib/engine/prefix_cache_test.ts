import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PrefixCache } from "../../../lib/engine/prefix_cache.ts";

Deno.test("longest() finds the entry with the longest common prefix", () => {
  const cache = new PrefixCache<string>(100);
  cache.insert(Int32Array.of(1, 2, 3, 4), [2], "a");
  const sameBeginning = Int32Array.of(1, 2, 9, 9, 9);
  deepStrictEqual(cache.longest(sameBeginning, [2, 5]), {
    length: 2,
    snapshot: "a",
  });
  const goesOn = Int32Array.of(1, 2, 3, 4, 5);
  deepStrictEqual(cache.longest(goesOn, [2, 4, 5]), {
    length: 4,
    snapshot: "a",
  });
});

Deno.test("longest() finds nothing between boundaries", () => {
  const cache = new PrefixCache<string>(100);
  cache.insert(Int32Array.of(1, 2, 3, 4), [2], "a");
  strictEqual(cache.longest(Int32Array.of(1, 2, 3), [3]), undefined);
  strictEqual(cache.longest(Int32Array.of(1, 2, 3, 4), []), undefined);
});

Deno.test("longest() compares tokens when hashes agree", () => {
  const [one, other] = colliding();
  const cache = new PrefixCache<string>(100);
  cache.insert(one, [], "one");
  strictEqual(cache.longest(other, [other.length]), undefined);
  cache.insert(other, [], "other");
  strictEqual(cache.longest(one, [one.length])?.snapshot, "one");
  strictEqual(cache.longest(other, [other.length])?.snapshot, "other");
});

Deno.test("insert() replaces the shorter prefixes that it holds", () => {
  const cache = new PrefixCache<string>(100);
  cache.insert(Int32Array.of(1, 2), [], "short");
  cache.insert(Int32Array.of(1, 3), [], "other");
  deepStrictEqual(cache.insert(Int32Array.of(1, 2, 3), [2], "long"), ["short"]);
  strictEqual(cache.tokensHeld, 5);
  strictEqual(cache.counts.evictions, 0);
  strictEqual(cache.longest(Int32Array.of(1, 2), [2])?.snapshot, "long");
});

Deno.test("insert() returns snapshots that are held already or too long", () => {
  const cache = new PrefixCache<string>(3);
  cache.insert(Int32Array.of(1, 2, 3), [2], "first");
  ok(cache.has(Int32Array.of(1, 2)));
  deepStrictEqual(cache.insert(Int32Array.of(1, 2), [], "again"), ["again"]);
  const tooLong = Int32Array.of(1, 2, 3, 4);
  deepStrictEqual(cache.insert(tooLong, [], "too long"), ["too long"]);
  strictEqual(cache.longest(tooLong, [2, 4])?.snapshot, "first");
});

Deno.test("insert() keeps its tokens when the caller's change", () => {
  const cache = new PrefixCache<string>(10);
  const tokens = Int32Array.of(1, 2);
  cache.insert(tokens, [], "a");
  tokens[0] = 7;
  strictEqual(cache.has(Int32Array.of(1, 2)), true);
});

Deno.test("evict() evicts the least recently used first", () => {
  const cache = new PrefixCache<string>(4);
  for (const token of [1, 2, 3, 4]) {
    cache.insert(Int32Array.of(token), [], `${token}`);
  }
  cache.longest(Int32Array.of(1), [1]);
  cache.renew(Int32Array.of(3), [1]);
  deepStrictEqual(cache.evict(2), ["2", "4"]);
  deepStrictEqual(cache.insert(Int32Array.of(5, 6, 7), [], "5"), ["1"]);
  deepStrictEqual(cache.evict(Infinity), ["3", "5"]);
  strictEqual(cache.tokensHeld, 0);
});

Deno.test("longest() uses the newest of the entries that share a boundary, so that others age", () => {
  const cache = new PrefixCache<string>(4);
  cache.insert(Int32Array.of(1, 2), [1], "older");
  cache.insert(Int32Array.of(1, 3), [1], "newer");
  strictEqual(cache.longest(Int32Array.of(1, 4), [1])?.snapshot, "newer");
  deepStrictEqual(cache.evict(1), ["older"]);
  strictEqual(cache.longest(Int32Array.of(1, 4), [1])?.snapshot, "newer");
});

Deno.test("counts reports hits, misses, tokens saved and evictions", () => {
  const cache = new PrefixCache<string>(2);
  const tokens = Int32Array.of(1, 2);
  cache.longest(tokens, [1, 2]);
  cache.insert(tokens, [1], "a");
  cache.longest(tokens, [1, 2]);
  cache.longest(tokens, [1]);
  cache.renew(tokens, [1]);
  cache.insert(Int32Array.of(3), [], "b");
  deepStrictEqual(cache.counts, {
    hits: 2,
    misses: 1,
    tokensSaved: 3,
    evictions: 1,
  });
});

Deno.test("longest() refuses boundaries that do not ascend within the prompt", () => {
  const cache = new PrefixCache<string>(10);
  for (const boundaries of [[0], [2, 1], [1, 1], [4]]) {
    throws(() => cache.longest(Int32Array.of(1, 2, 3), boundaries), RangeError);
  }
});

const anyPrompt = fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }).chain(
  (tokens) =>
    fc.record({
      tokens: fc.constant(Int32Array.from(tokens)),
      boundaries: fc.subarray(tokens.map((_, i) => i + 1)),
    }),
);
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant("insert"), prompt: anyPrompt }),
  fc.record({ kind: fc.constant("longest"), prompt: anyPrompt }),
  fc.record({ kind: fc.constant("evict"), prompt: anyPrompt }),
);

Deno.test("PrefixCache equals a linear search in a list of prefixes", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), fc.nat(30), (
      steps,
      capacity,
    ) => {
      const cache = new PrefixCache<LazyResource>(capacity);
      const held = new Set<LazyResource>();
      for (const { kind, prompt } of steps) {
        const { tokens, boundaries } = prompt;
        if (kind === "insert") {
          const snapshot = { tokens: [...tokens], boundaries };
          held.add(snapshot);
          for (const freed of cache.insert(tokens, boundaries, snapshot)) {
            ok(held.delete(freed), "freed once");
          }
        } else if (kind === "evict") {
          const before = cache.tokensHeld;
          const freed = cache.evict(tokens.length);
          for (const snapshot of freed) ok(held.delete(snapshot));
          ok(before - cache.tokensHeld >= Math.min(before, tokens.length));
        } else {
          const found = cache.longest(tokens, boundaries);
          strictEqual(found?.length ?? 0, longestIn(held, tokens, boundaries));
          if (found) ok(held.has(found.snapshot), "finds what is held");
        }
        const total = [...held].reduce(
          (sum, { tokens }) => sum + tokens.length,
          0,
        );
        strictEqual(cache.tokensHeld, total);
        strictEqual(cache.size, held.size);
        ok(total <= capacity);
      }
    }),
    { numRuns: 2000 },
  );
});

interface LazyResource {
  readonly tokens: readonly number[];
  readonly boundaries: readonly number[];
}

/**
 * Returns the longest boundary at which one of `held` may be shared, by trying
 * them all.
 */
function longestIn(
  held: Iterable<LazyResource>,
  tokens: Int32Array,
  boundaries: readonly number[],
): number {
  const lengths = [...held].flatMap((other) =>
    boundaries.filter((boundary) =>
      (other.boundaries.includes(boundary) ||
        other.tokens.length === boundary) &&
      boundary <= other.tokens.length &&
      tokens.subarray(0, boundary).every((token, i) =>
        token === other.tokens[i]
      )
    )
  );
  return Math.max(0, ...lengths);
}

/**
 * Returns two prompts of three tokens that FNV-1a maps to one value of 32 bits.
 */
function colliding(): [Int32Array, Int32Array] {
  const prime = 0x0100_0193;
  const start = 0x811c_9dc5;
  // The last token compensates any difference of the hashes before it.
  const hash = (...tokens: number[]) =>
    tokens.reduce((hash, token) => Math.imul(hash ^ token, prime), start);
  const one = Int32Array.of(1, 2, 3);
  const last = hash(1, 2) ^ 3 ^ hash(5, 6);
  const other = Int32Array.of(5, 6, last);
  strictEqual(hash(...one), hash(...other));
  return [one, other];
}

Deno.test("PrefixCache keeps equal tokens of several adapters apart", () => {
  const cache = new PrefixCache<string>(100);
  const tokens = Int32Array.of(1, 2, 3);
  cache.insert(tokens, [2], "base");
  strictEqual(cache.has(tokens, "a"), false);
  strictEqual(cache.longest(tokens, [2, 3], "a"), undefined);
  deepStrictEqual(cache.insert(tokens, [2], "adapted", "a"), []);
  strictEqual(cache.longest(tokens, [3])?.snapshot, "base");
  strictEqual(cache.longest(tokens, [3], "a")?.snapshot, "adapted");
  // A longer prefix replaces only that of the same adapter.
  const longer = Int32Array.of(1, 2, 3, 4);
  deepStrictEqual(cache.insert(longer, [3], "longer", "a"), ["adapted"]);
  strictEqual(cache.longest(tokens, [3])?.snapshot, "base");
});
