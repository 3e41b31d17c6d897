/**
 * How what is there already is judged: as if it were drawn or said, but with
 * each token given.
 *
 * ```text
 * given     c0      c1 c2 EOL c3 c4   c5 …     EOL is forced, and not judged
 * judged    c0  │   c1 c2     c3    │ c4 …     each by the token before it
 * fed    prompt │ c0 c1 c2 EOL …    │ …        a chunk a run
 * ```
 *
 * Nothing is fed that no judged token comes after. A run judges so few tokens
 * that their logits stay small, however long the whole is.
 *
 * @module
 */

import type { Draft, Head, Policy, ScoredLogits } from "./engine/policy.ts";
import { guide } from "./sampling/guidance.ts";
import {
  judge,
  logProbability,
  type TokenScore,
} from "./sampling/log_probabilities.ts";

/** Tokens of a run at most: more are no faster, and block others for longer. */
const MAX_CHUNK = 64;

/** What the logits of one run may take. */
const MAX_LOGIT_BYTES = 2 ** 25;

/** A run that ends with a row feeds its last code and EOL. */
const MIN_CHUNK = 2;

/** What is given. */
export interface Given {
  /** Follows the prompt, `[S]`. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /**
   * By token, which of the head's logits is its own; −1 where it is forced. The
   * first and the last are judged.
   */
  readonly choices: Int32Array<ArrayBuffer>;
}

/** How it is judged. */
export interface ScoringOptions {
  /** What judges. */
  readonly head: Head;
  /** Looked at when there is an unconditional row. */
  readonly guidanceScale: number;
  /** Tokens fed a run, 2 or more. */
  readonly chunk: number;
  /** How many of the strongest choices to note at each token; 0 for none. */
  readonly strongest?: number;
}

/**
 * How many tokens a run may feed.
 *
 * @param judged Tokens that the head judges, V.
 * @param rows 2 with an unconditional one, else 1.
 */
export function scoringChunk(judged: number, rows: number): number {
  const fits = Math.floor(MAX_LOGIT_BYTES / (4 * judged * rows));
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, fits));
}

/** Judges what is given; chooses nothing. */
export class ScoringPolicy implements Policy {
  /** What judges. */
  readonly head: Head;
  /** Of each judged token, in order. */
  readonly logprobs: number[] = [];
  /** Of each judged token, in order, where the strongest choices are noted. */
  readonly judgements: TokenScore[] = [];
  readonly #given: Given;
  readonly #options: ScoringOptions;
  /** Tokens fed so far. */
  #fed = 0;
  /** Of those, how many in the last run. */
  #last = 0;
  /** Tokens that are judged next. */
  #due: readonly number[] = [0];

  /** Starts before the first token. */
  constructor(given: Given, options: ScoringOptions) {
    this.head = options.head;
    this.#given = given;
    this.#options = options;
  }

  choose(judged: ScoredLogits): Draft | undefined {
    for (const [i, [conditional, unconditional]] of judged.entries()) {
      const logits = conditional!;
      if (unconditional !== undefined) {
        guide(logits, unconditional, this.#options.guidanceScale);
      }
      const choice = this.#given.choices[this.#due[i]!]!;
      this.#note(logits, choice);
    }
    return this.#next();
  }

  #note(logits: Float32Array, choice: number): void {
    const { strongest = 0 } = this.#options;
    if (strongest === 0) {
      this.logprobs.push(logProbability(logits, choice));
      return;
    }
    const judgement = judge(logits, choice, strongest);
    this.logprobs.push(judgement.logprob);
    this.judgements.push(judgement);
  }

  #next(): Draft | undefined {
    const { tokens, choices } = this.#given;
    const start = this.#fed;
    const end = Math.min(start + this.#options.chunk, tokens.length - 1);
    if (start === end) return undefined;
    const fed = [...tokens.subarray(start, end)];
    const judged = [...fed.keys()].filter((i) => choices[start + i + 1] !== -1);
    const kept = this.#last;
    this.#due = judged.map((i) => start + i + 1);
    this.#fed = end;
    this.#last = fed.length;
    return { kept, tokens: fed, judged };
  }
}
