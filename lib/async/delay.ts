/**
 * The delay that a signal can end early.
 *
 * It resolves in both cases: most callers go on to see why they were woken, and
 * the others call `signal.throwIfAborted()`. The delay of
 * `node:timers/promises` rejects with an error of its own instead of the
 * signal's reason.
 *
 * @module
 */

/** A delay by some clock. */
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
