import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { SpeculationController } from "../../../lib/drawing/speculation.ts";

const options = { trial: 3, worth: 2, rest: 4 };

/** Draws `codes`; speculation determines what each forward pass decides. */
function drawn(
  retryPolicy: SpeculationController,
  codes: number,
  whenGuessing: number,
) {
  const guessed: boolean[] = [];
  for (let left = codes; left > 0;) {
    const decided = retryPolicy.guesses ? whenGuessing : 1;
    guessed.push(retryPolicy.guesses);
    retryPolicy.note(decided);
    left -= decided;
  }
  return guessed;
}

Deno.test("SpeculationController speculates for as long as that decides enough", () => {
  ok(drawn(new SpeculationController(options), 100, 2).every((guess) => guess));
});

Deno.test("SpeculationController rests while drafts are wrong, twice as long each time", () => {
  const guessed = drawn(new SpeculationController(options), 40, 1);
  const runs: [boolean, number][] = [];
  for (const guess of guessed) {
    const last = runs.at(-1);
    if (last?.[0] === guess) last[1]++;
    else runs.push([guess, 1]);
  }
  deepStrictEqual(runs.slice(0, 6), [
    [true, 3],
    [false, 4],
    [true, 3],
    [false, 8],
    [true, 3],
    [false, 16],
  ]);
});

Deno.test("SpeculationController resets its rest once drafts are right again", () => {
  const retryPolicy = new SpeculationController(options);
  drawn(retryPolicy, 3 + 4 + 3 + 8, 1);
  strictEqual(retryPolicy.guesses, true);
  drawn(retryPolicy, 6, 2);
  const guessed = drawn(retryPolicy, 3 + 4 + 1, 1);
  deepStrictEqual(guessed.slice(0, 8), [
    ...Array(3).fill(true),
    ...Array(4).fill(false),
    true,
  ]);
});
