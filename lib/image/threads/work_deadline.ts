/**
 * A deadline by work: by the CPU time of a thread, not by the clock.
 *
 * On a busy machine, or in a container that is stopped for a while, a thread
 * computes for a part of the time only, and its input is not to blame. The
 * clock is a wide second limit, for a thread that waits forever, and for
 * systems that do not report a thread's CPU time.
 *
 * @module
 */

import { readSystemFile } from "../../runtime/memory/system_file.ts";

/** The clocks of a thread, in milliseconds. */
export interface ThreadClock {
  /** Returns the CPU time of the thread so far; undefined if not reported. */
  readonly cpuMs: () => number | undefined;
  /** Returns the time of day, from any beginning. */
  readonly nowMs: () => number;
}

/** The ways to miss a deadline: too much CPU time, or too long by the clock. */
export type Missed = "late" | "stalled";

/** The ratio of the limit by the clock to that of CPU time. */
const STALL_FACTOR = 20;

/** The shortest and the longest time between two checks, in milliseconds. */
const LOOK_MS = 50;
const MAX_LOOK_MS = 60_000;

/**
 * The time by the clock after which CPU time is first checked, in milliseconds.
 */
const FIRST_LOOK_MS = 500;

/**
 * Counts CPU time from the first check: most calls end before it, and so cost
 * no read of the system's files.
 */
export class WorkDeadline {
  readonly #ms: number;
  readonly #clock: ThreadClock;
  readonly #startedAt: number;
  #cpuBefore: number | undefined;

  /**
   * Creates a deadline and starts to count.
   *
   * @param ms CPU time that may pass, in milliseconds.
   */
  constructor(ms: number, clock: ThreadClock) {
    this.#ms = ms;
    this.#clock = clock;
    this.#startedAt = clock.nowMs();
  }

  /** Milliseconds until the first check is due. */
  get firstLookMs(): number {
    return Math.min(FIRST_LOOK_MS, this.#ms);
  }

  /**
   * Returns the way that the deadline is missed, or the milliseconds to the
   * next check.
   */
  look(): Missed | number {
    const usedMs = this.#usedMs();
    if (usedMs > this.#ms) return "late";
    const passedMs = this.#clock.nowMs() - this.#startedAt;
    if (passedMs > STALL_FACTOR * this.#ms) return "stalled";
    // A thread uses no more CPU time than passes by the clock.
    return Math.min(MAX_LOOK_MS, Math.max(LOOK_MS, this.#ms - usedMs));
  }

  #usedMs(): number {
    const cpuMs = this.#clock.cpuMs();
    if (cpuMs === undefined) return 0;
    this.#cpuBefore ??= cpuMs;
    return cpuMs - this.#cpuBefore;
  }
}

/** Calls `onMissed` once `deadline` is missed, until the returned function is called. */
export function watch(
  deadline: WorkDeadline,
  onMissed: (how: Missed) => void,
): () => void {
  const look = () => {
    const outcome = deadline.look();
    if (typeof outcome === "string") onMissed(outcome);
    else timer = setTimeout(look, outcome);
  };
  let timer = setTimeout(look, deadline.firstLookMs);
  return () => clearTimeout(timer);
}

/** Returns the calling thread's number in Linux; undefined elsewhere. */
export function threadNumber(): number | undefined {
  const [number] = (readSystemFile("/proc/thread-self/stat") ?? "").split(" ");
  return Number(number) || undefined;
}

/**
 * Returns the clocks of a thread of this process.
 *
 * @param number Function that returns the thread's number, once known.
 * @param nowMs Function that returns the time of day, in milliseconds.
 */
export function threadClock(
  number: () => number | undefined,
  nowMs: () => number,
): ThreadClock {
  return {
    nowMs,
    cpuMs: () => {
      const thread = number();
      if (thread === undefined) return undefined;
      const text = readSystemFile(`/proc/self/task/${thread}/schedstat`) ?? "";
      const [nanoseconds] = text.split(" ");
      return Number(nanoseconds) / 1e6 || undefined;
    },
  };
}
