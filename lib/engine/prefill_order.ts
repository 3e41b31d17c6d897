/**
 * The prefill order: selects the prompt whose chunk runs next.
 *
 * One chunk runs in each step, beside the decode tokens of all sequences
 * (chunked prefill). The request with the fewest remaining tokens runs first;
 * one that has waited for `maxWait` chunks precedes all others. So a long
 * prompt neither delays a short one nor starves behind a stream of them.
 *
 * @module
 */

/**
 * The maximum number of chunks of others that a request waits for in an engine.
 */
export const MAX_PREFILL_WAIT = 8;

/** A request in prefill. */
export interface Prefilling {
  /** Number of remaining tokens of all its prompts. */
  readonly remaining: number;
  /** Number of chunks of others since its last one, or since it started. */
  readonly waited: number;
}

/**
 * Returns the index of the request whose chunk runs next; undefined if there is
 * none.
 *
 * @param requests Requests in the order of their start.
 * @param maxWait The maximum number of chunks that a request waits, plus one
 * for each of the others that wait as long.
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
