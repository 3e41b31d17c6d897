/**
 * The order of prefill: decides which prompt gets the next chunk.
 *
 * One chunk runs in each step, beside the tokens of all sequences that decode.
 * The request with the least left goes first, which keeps the fewest waiting;
 * one that others have passed too often goes before all. A long prompt thus
 * neither holds up a short question nor waits forever behind a stream of them.
 *
 * @module
 */

/** Number of chunks that others may get first in an engine. */
export const MAX_PREFILL_WAIT = 8;

/** A request whose prompts have not run completely. */
export interface Prefilling {
  /** Number of tokens of all its prompts that are still to run. */
  readonly remaining: number;
  /**
   * Number of chunks that others got since its last one, or since it started.
   */
  readonly waited: number;
}

/**
 * Returns the index of the request that gets the next chunk; undefined if there
 * is none.
 *
 * @param requests Requests in the order of their start.
 * @param maxWait The most chunks that a request waits, plus one for each of the
 * others that wait as long.
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
