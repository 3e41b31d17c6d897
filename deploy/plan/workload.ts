/**
 * Requests, as the engine sees them, and when they come.
 *
 * ```text
 * picture H × W   one row, guided two; H·W − 1 runs after the prompt
 * answer          one row; a run a token
 * ```
 *
 * @module
 */

import { uniformAt } from "../../lib/sampling/random.ts";

/** A kind of request. */
export interface RequestClass {
  /** What it is called. */
  readonly name: string;
  /** Lengths of its prompts, one a row. */
  readonly prompts: readonly number[];
  /** Whether the last of them is the same for all, as without a condition. */
  readonly sharesLast: boolean;
  /** Runs after its prompts. */
  readonly runs: number;
  /** Tokens that these feed to each row. */
  readonly newTokens: number;
  /** Tokens that it reserves for them. */
  readonly maxNewTokens: number;
  /** Tokens that a run feeds; above 1 it runs alone. */
  readonly tokensPerRun: number;
  /** Whether it counts as a picture. */
  readonly long: boolean;
  /** What follows without the language model, in milliseconds. */
  readonly afterMs: number;
}

/** A request that comes. */
export interface Arrival {
  /** When, in milliseconds from the start. */
  readonly atMs: number;
  /** What is asked. */
  readonly kind: RequestClass;
}

/** How often each kind of request comes. */
export interface Mix {
  /** What is asked. */
  readonly kind: RequestClass;
  /** Its part of all requests, in any unit. */
  readonly share: number;
}

/** A picture's runs and tokens. */
export function pictureRuns(
  height: number,
  width: number,
): { readonly runs: number; readonly newTokens: number } {
  // The last code, and the end of its row, are not fed.
  return { runs: height * width - 1, newTokens: height * (width + 1) - 2 };
}

/** Tokens that so many of a request's runs have fed to each row. */
export function fedAfter(
  { newTokens, runs: all }: RequestClass,
  runs: number,
): number {
  return all === 0 ? 0 : Math.floor(newTokens * runs / all);
}

/**
 * Requests that come independently of each other (a Poisson process).
 *
 * @param ratePerMs How many come in a millisecond.
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
