/**
 * The manual clock: time passes only when a test advances it.
 *
 * @module
 */

import type { Delay } from "../../lib/async/delay.ts";

/** A clock that a test advances. */
export interface HandClock {
  /** Time in milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after a duration, or when the signal aborts. */
  readonly delay: Delay;
  /** Advances the time. */
  readonly pass: (milliseconds: number) => void;
  /** Count of pending pauses. */
  readonly waiting: () => number;
}

/** Creates a stopped clock. */
export function handClock(start = 1_700_000_000_000): HandClock {
  let time = start;
  const alarms = new Set<{ readonly due: number; readonly ring: () => void }>();
  return {
    now: () => time,
    waiting: () => alarms.size,
    delay: (milliseconds, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const alarm = { due: time + milliseconds, ring: resolve };
      alarms.add(alarm);
      const end = () => {
        alarms.delete(alarm);
        resolve();
      };
      signal?.addEventListener("abort", end, { once: true });
      if (signal?.aborted) end();
      return promise;
    },
    pass: (milliseconds) => {
      time += milliseconds;
      for (const alarm of [...alarms].filter(({ due }) => due <= time)) {
        alarms.delete(alarm);
        alarm.ring();
      }
    },
  };
}
