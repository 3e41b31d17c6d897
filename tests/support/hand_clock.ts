/**
 * Time that passes when a test says so.
 *
 * @module
 */

/** A clock in a test's hand. */
export interface HandClock {
  /** In milliseconds since 1970. */
  readonly now: () => number;
  /** Comes when so much has passed, or the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Lets time pass. */
  readonly pass: (milliseconds: number) => void;
  /** How many wait. */
  readonly waiting: () => number;
}

/** A clock that stands still until it is told otherwise. */
export function handClock(start = 1_700_000_000_000): HandClock {
  let time = start;
  const alarms = new Set<{ readonly due: number; readonly ring: () => void }>();
  return {
    now: () => time,
    waiting: () => alarms.size,
    pause: (milliseconds, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const alarm = { due: time + milliseconds, ring: resolve };
      alarms.add(alarm);
      const end = () => {
        alarms.delete(alarm);
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
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
