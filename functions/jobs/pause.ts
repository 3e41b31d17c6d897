/**
 * The pause: a wait that a signal can end early.
 *
 * @module
 */

/** Resolves after so many milliseconds, or when the signal aborts. */
export type Pause = (
  milliseconds: number,
  signal: AbortSignal,
) => Promise<void>;

/** Waits by the clock. */
export function pause(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    resolve();
  };
  const timer = setTimeout(end, milliseconds);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  return promise;
}
