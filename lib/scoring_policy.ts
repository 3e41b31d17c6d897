/**
 * The policy that scores given tokens (teacher forcing).
 *
 * ```text
 * given     c0      c1 c2 EOL c3 c4   c5 …     EOL is forced, and not scored
 * scored    c0  │   c1 c2     c3    │ c4 …     by the logits of the token before
 * appended  prompt │ c0 c1 c2 EOL …    │ …     one chunk per run
 * ```
 *
 * Tokens without a scored token after them are not appended. The chunk size
 * bounds the memory of the logits, independent of the number of tokens.
 *
 * @module
 */

import type { Draft, Head, Policy, ScoredLogits } from "./engine/policy.ts";
import { guide } from "./sampling/guidance.ts";
import {
  logProbability,
  scoreToken,
  type TokenScore,
} from "./sampling/log_probabilities.ts";

/**
 * The maximum number of tokens of a run: more are not faster, and delay other
 * requests longer.
 */
const MAX_CHUNK = 64;

/** The maximum number of bytes of one run's logits. */
const MAX_LOGIT_BYTES = 2 ** 25;

/**
 * The minimum number of tokens of a run: at the end of a row, the last code and
 * EOL are appended together.
 */
const MIN_CHUNK = 2;

/** The given tokens. */
export interface Given {
  /** Tokens after the prompt, `[S]`. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /**
   * Index of each token among the head's logits; −1 for a forced one. The first
   * and the last token are scored.
   */
  readonly choices: Int32Array<ArrayBuffer>;
}

/** Options of {@linkcode ScoringPolicy}. */
export interface ScoringOptions {
  /** Head that scores the tokens. */
  readonly head: Head;
  /** The guidance scale; used if there is an unconditional row. */
  readonly guidanceScale: number;
  /** Number of tokens appended in each run, 2 or more. */
  readonly chunk: number;
  /**
   * Number of the most probable choices to record at each token; 0 for none.
   */
  readonly strongest?: number;
}

/**
 * Returns the number of tokens that a run may append.
 *
 * @param scored Number of tokens that the head scores, V.
 * @param rows Number of rows, 2 with an unconditional one, else 1.
 */
export function scoringChunk(scored: number, rows: number): number {
  const fits = Math.floor(MAX_LOGIT_BYTES / (4 * scored * rows));
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, fits));
}

/** Scores given tokens, without choosing any. */
export class ScoringPolicy implements Policy {
  /** Head that scores the tokens. */
  readonly head: Head;
  /** Log-probabilities of scored tokens, in order. */
  readonly logprobs: number[] = [];
  /**
   * Scores of scored tokens, in order, if the most probable choices are
   * recorded.
   */
  readonly scores: TokenScore[] = [];
  readonly #given: Given;
  readonly #options: ScoringOptions;
  /** Number of tokens appended so far. */
  #appended = 0;
  /** Number of tokens appended in the last run. */
  #last = 0;
  /** Indices of the tokens that are scored next. */
  #due: readonly number[] = [0];

  /** Creates the policy, before the first token. */
  constructor(given: Given, options: ScoringOptions) {
    this.head = options.head;
    this.#given = given;
    this.#options = options;
  }

  choose(scored: ScoredLogits): Draft | undefined {
    for (const [i, [conditional, unconditional]] of scored.entries()) {
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
    const score = scoreToken(logits, choice, strongest);
    this.logprobs.push(score.logprob);
    this.scores.push(score);
  }

  #next(): Draft | undefined {
    const { tokens, choices } = this.#given;
    const start = this.#appended;
    const end = Math.min(start + this.#options.chunk, tokens.length - 1);
    if (start === end) return undefined;
    const appended = [...tokens.subarray(start, end)];
    const scored = [...appended.keys()].filter((i) =>
      choices[start + i + 1] !== -1
    );
    const kept = this.#last;
    this.#due = scored.map((i) => start + i + 1);
    this.#appended = end;
    this.#last = appended.length;
    return { kept, tokens: appended, scored };
  }
}
