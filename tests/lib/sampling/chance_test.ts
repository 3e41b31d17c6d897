import { notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { keyedChance } from "../../../lib/sampling/chance.ts";
import { uniformAt } from "../../../lib/sampling/random.ts";
import { draw } from "../../../lib/sampling/sampler.ts";

const key = { seed: 5, stream: 2 };
const coin = {
  tokens: Int32Array.from({ length: 1000 }, (_, i) => i),
  probabilities: new Float64Array(1000).fill(1 / 1000),
};

Deno.test("keyedChance() first picks by the random number of the position", () => {
  const chanceAt = keyedChance(key);
  for (const position of [0, 1, 77]) {
    strictEqual(
      chanceAt(position, 0).pick(coin),
      draw(coin, uniformAt(key, position)),
    );
  }
});

Deno.test("keyedChance() returns the same values in any order of calls", () => {
  const chanceAt = keyedChance(key);
  const once = [0, 1, 2].map((attempt) => chanceAt(9, attempt).pick(coin));
  const again = [2, 1, 0].map((attempt) => chanceAt(9, attempt).pick(coin));
  strictEqual(`${once}`, `${again.reverse()}`);
});

Deno.test("keyedChance() has another number for each attempt and each call", () => {
  const numbers = new Set<number>();
  for (const position of [0, 1, 2]) {
    for (let draw = 0; draw < 20; draw++) {
      numbers.add(uniformAt(key, position, draw));
    }
  }
  strictEqual(numbers.size, 60);
  const chanceAt = keyedChance(key);
  notStrictEqual(chanceAt(4, 0).pick(coin), chanceAt(4, 1).pick(coin));
  // If accept() and pick() shared one number, an accepted half would pick low.
  const accepted = [...Array(2000).keys()].map((at) => chanceAt(at, 1))
    .filter((chance) => chance.accept(0.5));
  ok(Math.abs(accepted.length - 1000) < 150, `${accepted.length}`);
  const high = accepted.filter((chance) => chance.pick(coin) >= 500).length;
  ok(Math.abs(high / accepted.length - 0.5) < 0.1, `${high}`);
});
