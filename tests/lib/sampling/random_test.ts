import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { philox, uniformAt } from "../../../lib/sampling/random.ts";

type Counter = [number, number, number, number];
type Key = [number, number];

/** `kat_vectors` of Random123: philox 4x32 with 10 rounds. */
const KNOWN_ANSWERS: readonly [Counter, Key, Counter][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anySeed = fc.maxSafeNat();

Deno.test("philox() matches the published answers", () => {
  for (const [counter, key, expected] of KNOWN_ANSWERS) {
    deepStrictEqual(philox(counter, key), expected);
  }
});

Deno.test("philox() equals its definition in whole numbers, for any counter and key", () => {
  const counter = fc.tuple(word, word, word, word);
  fc.assert(fc.property(counter, fc.tuple(word, word), (counter, key) => {
    deepStrictEqual(philox(counter, key), definition(counter, key));
  }));
});

Deno.test("uniformAt() is in [0, 1), for any seed, stream and position", () => {
  fc.assert(fc.property(anySeed, word, fc.maxSafeNat(), (seed, stream, at) => {
    const value = uniformAt({ seed, stream }, at);
    ok(value >= 0 && value < 1, `${value}`);
  }));
});

Deno.test("uniformAt() depends on every bit of seed, stream and position", () => {
  const key = { seed: 5, stream: 3 };
  const value = uniformAt(key, 7);
  strictEqual(uniformAt({ ...key }, 7), value);
  for (let bit = 0; bit < 53; bit++) {
    notStrictEqual(uniformAt({ ...key, seed: flipped(5, bit) }, 7), value);
    notStrictEqual(uniformAt(key, flipped(7, bit)), value);
  }
  for (let bit = 0; bit < 32; bit++) {
    notStrictEqual(uniformAt({ ...key, stream: flipped(3, bit) }, 7), value);
  }
});

Deno.test("uniformAt() is uniform along positions, streams and seeds", () => {
  const draws = 100_000;
  const bins = 64;
  const along: Record<string, (i: number) => number> = {
    positions: (i) => uniformAt({ seed: 1, stream: 0 }, i),
    streams: (i) => uniformAt({ seed: 1, stream: i }, 0),
    seeds: (i) => uniformAt({ seed: i, stream: 0 }, 0),
  };
  for (const [what, value] of Object.entries(along)) {
    const counts = new Array<number>(bins).fill(0);
    for (let i = 0; i < draws; i++) counts[Math.floor(value(i) * bins)]!++;
    const expected = draws / bins;
    const chiSquare = counts.reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    // 63 degrees of freedom: beyond 120 once in 50,000 fair tables.
    ok(chiSquare < 120, `${what}: ${chiSquare}`);
  }
});

/** Computes Philox4x32-10 by the paper's definition. */
function definition(counter: Counter, key: Key): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  const mask = 0xffff_ffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd251_1f53n * c0;
    const p1 = 0xcd9e_8d57n * c2;
    [c0, c1, c2, c3] = [
      (p1 >> 32n) ^ c1 ^ k0,
      p1 & mask,
      (p0 >> 32n) ^ c3 ^ k1,
      p0 & mask,
    ];
    k0 = (k0 + 0x9e37_79b9n) & mask;
    k1 = (k1 + 0xbb67_ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** Returns `value` with one bit changed. */
function flipped(value: number, bit: number): number {
  return Number(BigInt(value) ^ (1n << BigInt(bit)));
}
