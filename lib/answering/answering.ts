/**
 * The policy that answers a question, token by token: until EOS, until
 * {@linkcode AnsweringPolicy.stop} is called, or until the token limit.
 *
 * @module
 */

import type { Draft, Policy, ScoredLogits } from "../engine/policy.ts";
import { type DrawKey, uniformAt } from "../sampling/random.ts";
import { sample, type SamplingOptions } from "../sampling/sampler.ts";

/** Options of {@linkcode AnsweringPolicy}. */
export interface AnsweringOptions {
  /** The EOS token, which ends the answer. */
  readonly eos: number;
  /** Further tokens that end the answer. */
  readonly endTokens?: readonly number[];
  /** The maximum number of tokens. */
  readonly maxTokens: number;
  /** Options that choose each token. */
  readonly sampling: SamplingOptions;
  /** The key of the random numbers. */
  readonly key: DrawKey;
}

/** The reason that an answer ended: EOS or a stop, or the token limit. */
export type FinishReason = "stop" | "length";

/** Chooses the tokens of one answer. */
export class AnsweringPolicy implements Policy {
  readonly head = "vocabulary";
  readonly #options: AnsweringOptions;
  readonly #onToken: (token: number) => void;
  #count = 0;
  #stopped = false;
  /** The reason that the answer ended; valid once it has. */
  finishReason: FinishReason = "length";

  /**
   * Creates the policy of one answer; `onToken` is called with each token but
   * EOS.
   */
  constructor(options: AnsweringOptions, onToken: (token: number) => void) {
    this.#options = options;
    this.#onToken = onToken;
  }

  /** Number of tokens in the answer, without EOS. */
  get count(): number {
    return this.#count;
  }

  /** Ends the answer with the token that `onToken` received last. */
  stop(): void {
    this.#stopped = true;
    this.finishReason = "stop";
  }

  choose([rows]: ScoredLogits): Draft | undefined {
    const { eos, endTokens, maxTokens, sampling, key } = this.#options;
    const position = this.#count;
    const token = sample(rows![0]!, sampling, () => uniformAt(key, position));
    if (token === eos || endTokens?.includes(token)) {
      this.finishReason = "stop";
      return undefined;
    }
    this.#count++;
    this.#onToken(token);
    if (this.#stopped || this.#count === maxTokens) return undefined;
    return { kept: position === 0 ? 0 : 1, tokens: [token], scored: [0] };
  }
}
