/**
 * Whose prompt gets the next chunk.
 *
 * One chunk runs in each step, beside the tokens of all who decode. The request
 * with the least left goes first, as that makes the fewest wait; one that others
 * have passed too often goes before all. A long prompt thus neither holds up a
 * short question nor waits for ever behind a stream of them.
 *
 * @module
 */

/** Chunks that others may get first in an engine. */
export const MAX_PREFILL_WAIT = 8;

/** A request whose prompts are not all run. */
export interface Prefilling {
  /** Tokens of all its prompts that are still to run. */
  readonly remaining: number;
  /** Chunks that others got since its last one, or since it started. */
  readonly waited: number;
}

/**
 * Which of `requests` gets the next chunk; undefined when there are none.
 *
 * @param requests In order of their start.
 * @param maxWait A request waits at most as many chunks, and one for each of
 * the others that wait as long.
 */
export function nextPrefill(
  requests: readonly Prefilling[],
  maxWait: number,
): number | undefined {
  const aged = requests.filter(({ waited }) => waited >= maxWait);
  const next = aged.length > 0
    ? aged.reduce((a, b) => b.waited > a.waited ? b : a)
    : requests.reduce<Prefilling | undefined>(
      (a, b) => a === undefined || b.remaining < a.remaining ? b : a,
      undefined,
    );
  return next && requests.indexOf(next);
}
