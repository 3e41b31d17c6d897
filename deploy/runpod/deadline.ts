/**
 * The deadline of a task.
 *
 * @module
 */

import type { Delay } from "../../lib/async/delay.ts";

/**
 * Runs `task` with a signal that aborts at the deadline or with `signal`.
 *
 * @param milliseconds Time that the task may take.
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  delay: Delay,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const late = new AbortController();
  delay(milliseconds, done.signal).then(() =>
    late.abort(new DOMException("it took too long", "TimeoutError"))
  );
  try {
    return await task(AbortSignal.any([signal, late.signal]));
  } finally {
    done.abort();
  }
}
