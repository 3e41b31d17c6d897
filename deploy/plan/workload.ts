/**
 * The workload: classes of requests as the engine runs them, and their
 * arrivals.
 *
 * ```text
 * image H × W     one row, guided two; H·W − 1 runs after the prompt
 * caption         one row; one run per token
 * ```
 *
 * @module
 */

import { uniformAt } from "../../lib/sampling/random.ts";

/** A class of requests. */
export interface RequestClass {
  /** Name of the class. */
  readonly name: string;
  /** Lengths of its prompts, one per row. */
  readonly prompts: readonly number[];
  /** True if all requests share the last prompt, as for unconditional rows. */
  readonly sharesLast: boolean;
  /** Runs after its prompts. */
  readonly runs: number;
  /** Tokens that these runs append to each row. */
  readonly newTokens: number;
  /** Tokens that it reserves for them. */
  readonly maxNewTokens: number;
  /** Tokens that a run appends; above 1 the request runs alone. */
  readonly tokensPerRun: number;
  /** True if it counts as an image. */
  readonly long: boolean;
  /** Time after the last run, without the language model, in milliseconds. */
  readonly afterMs: number;
}

/** The arrival of a request. */
export interface Arrival {
  /** Time in milliseconds from the start. */
  readonly atMs: number;
  /** Class of the request. */
  readonly kind: RequestClass;
}

/** The frequency of a class of requests. */
export interface Mix {
  /** Class of the requests. */
  readonly kind: RequestClass;
  /** Share of all requests, in any unit. */
  readonly share: number;
}

/** Returns the runs and tokens of an image. */
export function pictureRuns(
  height: number,
  width: number,
): { readonly runs: number; readonly newTokens: number } {
  // The last code, and the end of its row, are not inputs.
  return { runs: height * width - 1, newTokens: height * (width + 1) - 2 };
}

/** Returns the tokens that a request reserves of the KV cache. */
export function reservedTokens(
  { prompts, maxNewTokens }: RequestClass,
): number {
  return prompts.reduce((sum, length) => sum + length + maxNewTokens, 0);
}

/**
 * Returns the number of tokens per row after a number of a request's runs.
 */
export function fedAfter(
  { newTokens, runs: all }: RequestClass,
  runs: number,
): number {
  return all === 0 ? 0 : Math.floor(newTokens * runs / all);
}

/**
 * Generates arrivals that are independent of each other (a Poisson process).
 *
 * @param ratePerMs Arrivals per millisecond.
 */
export function poissonArrivals(
  mix: readonly Mix[],
  { ratePerMs, durationMs, seed }: {
    readonly ratePerMs: number;
    readonly durationMs: number;
    readonly seed: number;
  },
): Arrival[] {
  const arrivals: Arrival[] = [];
  const total = mix.reduce((sum, { share }) => sum + share, 0);
  let atMs = 0;
  for (let i = 0;; i++) {
    const random = (draw: number) => uniformAt({ seed, stream: 0 }, i, draw);
    atMs -= Math.log(1 - random(0)) / ratePerMs;
    if (atMs >= durationMs) return arrivals;
    let left = random(1) * total;
    const { kind } = mix.find(({ share }) => (left -= share) < 0) ?? mix[0]!;
    arrivals.push({ atMs, kind });
  }
}
