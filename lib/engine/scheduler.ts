/**
 * Who may start, as arithmetic on slots.
 *
 * First come, first served: a request that needs more slots than are free holds
 * back those behind it, so that a guided picture does not starve behind
 * single-row questions.
 *
 * @module
 */

/**
 * How many of the waiting requests start now.
 *
 * @param needs Slots that each waiting request needs, in order of arrival.
 * @param free Slots that nobody holds.
 */
export function admissible(needs: readonly number[], free: number): number {
  let left = free;
  const refused = needs.findIndex((need) => {
    left -= need;
    return left < 0;
  });
  return refused === -1 ? needs.length : refused;
}

/**
 * In how many seconds a place in the queue is likely to be free.
 *
 * @param waiting Requests in the queue.
 * @param secondsPerRequest What finished requests took on average.
 * @param concurrency Requests that run together.
 */
export function retryAfterSeconds(
  waiting: number,
  secondsPerRequest: number,
  concurrency: number,
): number {
  const seconds = ((waiting + 1) * secondsPerRequest) / concurrency;
  return Math.max(1, Math.ceil(seconds));
}
