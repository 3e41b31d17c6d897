/**
 * Time that passes, unless something ends it early.
 *
 * @module
 */

/** Comes after so many milliseconds, or when the signal aborts. */
export type Pause = (
  milliseconds: number,
  signal: AbortSignal,
) => Promise<void>;

/** A pause by the clock. */
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
