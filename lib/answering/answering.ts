/**
 * How a question is answered, token by token: until EOS, until it is
 * told to stop, or until there is no room.
 *
 * @module
 */

import type { Draft, Policy, ScoredLogits } from "../engine/policy.ts";
import { type DrawKey, uniformAt } from "../sampling/random.ts";
import { sample, type SamplingOptions } from "../sampling/sampler.ts";

/** How an answer is worded. */
export interface AnsweringOptions {
  /** Ends the answer. */
  readonly eos: number;
  /** Tokens that end it as well. */
  readonly endTokens?: readonly number[];
  /** Tokens at most. */
  readonly maxTokens: number;
  /** How tokens are chosen. */
  readonly sampling: SamplingOptions;
  /** Which random numbers to use. */
  readonly key: DrawKey;
}

/** Why an answer ended: EOS or told to, or no more tokens allowed. */
export type FinishReason = "stop" | "length";

/** Chooses the tokens of one answer. */
export class AnsweringPolicy implements Policy {
  readonly head = "vocabulary";
  readonly #options: AnsweringOptions;
  readonly #onToken: (token: number) => void;
  #count = 0;
  #stopped = false;
  /** Known when the answer has ended. */
  finishReason: FinishReason = "length";

  /** Starts before the first token; `onToken` hears each but EOS. */
  constructor(options: AnsweringOptions, onToken: (token: number) => void) {
    this.#options = options;
    this.#onToken = onToken;
  }

  /** Tokens of the answer, EOS not counted. */
  get count(): number {
    return this.#count;
  }

  /** Ends the answer with the token that was heard last. */
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
    return { kept: position === 0 ? 0 : 1, tokens: [token], judged: [0] };
  }
}
