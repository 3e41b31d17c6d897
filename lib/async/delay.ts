/**
 * The delay that an abort signal ends early.
 *
 * It resolves in both cases: most callers check their state again, and the
 * others call `signal.throwIfAborted()`. The delay of `node:timers/promises`
 * rejects with its own error instead of the signal's reason.
 *
 * @module
 */

/** A function that delays by a clock. */
export type Delay = (
  milliseconds: number,
  signal: AbortSignal,
) => Promise<void>;

/** Resolves after so many milliseconds, or as soon as `signal` aborts. */
export function delay(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    resolve();
  };
  const timer = setTimeout(end, milliseconds);
  signal?.addEventListener("abort", end);
  if (signal?.aborted) end();
  return promise;
}
