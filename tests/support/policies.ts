/**
 * The deterministic policies.
 *
 * @module
 */

import type { Draft, Policy, ScoredLogits } from "../../lib/engine/policy.ts";
import { argmax } from "../../lib/sampling/sampler.ts";

/** A policy that chooses the argmax of the summed rows, `count` times. */
export class Greedy implements Policy {
  readonly head = "codes";
  readonly chosen: number[] = [];
  readonly #count: number;
  readonly #onChoice: () => void;

  constructor(count: number, onChoice: () => void = () => {}) {
    this.#count = count;
    this.#onChoice = onChoice;
  }

  choose([rows]: ScoredLogits): Draft | undefined {
    this.chosen.push(strongest(rows!));
    this.#onChoice();
    if (this.chosen.length === this.#count) return undefined;
    const kept = this.chosen.length === 1 ? 0 : 1;
    return { kept, tokens: this.chosen.slice(-1), scored: [0] };
  }
}

/** Returns the argmax of the summed rows. */
function strongest(rows: readonly Float32Array[]): number {
  const sum = rows[0]!.map((_, i) => rows.reduce((s, row) => s + row[i]!, 0));
  return argmax(sum);
}

/**
 * A policy that drafts three tokens ahead, most of them wrong, and keeps the
 * correct ones.
 */
export class Guessing implements Policy {
  readonly head = "codes";
  readonly chosen: number[] = [];
  readonly #count: number;
  /** Appended tokens that are not verified. */
  #guesses: number[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  choose(scored: ScoredLogits): Draft | undefined {
    const right = scored.map((rows) => strongest(rows));
    let kept = 0;
    for (const [i, token] of right.entries()) {
      this.chosen.push(token);
      kept = Math.min(i + 1, this.#guesses.length + 1);
      if (this.chosen.length === this.#count) return undefined;
      if (token !== this.#guesses[i]) break;
    }
    const first = this.chosen.length <= kept && this.#guesses.length === 0;
    const last = this.chosen.at(-1)!;
    this.#guesses = [last, (last + 1) % 16].slice(
      0,
      this.#count - this.chosen.length - 1,
    );
    const tokens = [last, ...this.#guesses];
    return {
      kept: first ? 0 : kept,
      tokens,
      scored: [...tokens.keys()],
    };
  }
}
