/**
 * The work deadline: limits the CPU time of a thread instead of elapsed time.
 *
 * On a busy machine, or in a paused container, a thread computes only part of
 * the time, for no fault of its input. Elapsed time is a second, wide limit,
 * for a thread that waits forever and for systems that do not report CPU time
 * per thread.
 *
 * @module
 */

import { readSystemFile } from "../../runtime/memory/system_file.ts";

/** The clocks of a thread, in milliseconds. */
export interface ThreadClock {
  /** Returns the CPU time of the thread so far; undefined if not reported. */
  readonly cpuMs: () => number | undefined;
  /** Returns a monotonic time. */
  readonly nowMs: () => number;
}

/**
 * The kinds of missed deadlines: too much CPU time, or too much elapsed time.
 */
export type Missed = "late" | "stalled";

/** The ratio of the limit of elapsed time to that of CPU time. */
const STALL_FACTOR = 20;

/** The shortest and the longest time between two checks, in milliseconds. */
const CHECK_MS = 50;
const MAX_CHECK_MS = 60_000;

/** The elapsed time after which CPU time is first checked, in milliseconds. */
const FIRST_CHECK_MS = 500;

/**
 * Counts CPU time from the first check. Most calls end before it, without a
 * read of the system's files.
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
  get firstCheckMs(): number {
    return Math.min(FIRST_CHECK_MS, this.#ms);
  }

  /**
   * Returns the kind of the missed deadline, or the milliseconds to the next
   * check.
   */
  check(): Missed | number {
    const usedMs = this.#usedMs();
    if (usedMs > this.#ms) return "late";
    const passedMs = this.#clock.nowMs() - this.#startedAt;
    if (passedMs > STALL_FACTOR * this.#ms) return "stalled";
    // A thread uses no more CPU time than elapses.
    return Math.min(MAX_CHECK_MS, Math.max(CHECK_MS, this.#ms - usedMs));
  }

  #usedMs(): number {
    const cpuMs = this.#clock.cpuMs();
    if (cpuMs === undefined) return 0;
    this.#cpuBefore ??= cpuMs;
    return cpuMs - this.#cpuBefore;
  }
}

/**
 * Calls `onMissed` once `deadline` is missed, until the returned function is
 * called.
 */
export function watch(
  deadline: WorkDeadline,
  onMissed: (missed: Missed) => void,
): () => void {
  const check = () => {
    const outcome = deadline.check();
    if (typeof outcome === "string") onMissed(outcome);
    else timer = setTimeout(check, outcome);
  };
  let timer = setTimeout(check, deadline.firstCheckMs);
  return () => clearTimeout(timer);
}

/** Returns the calling thread's ID on Linux; undefined elsewhere. */
export function threadNumber(): number | undefined {
  const [number] = (readSystemFile("/proc/thread-self/stat") ?? "").split(" ");
  return Number(number) || undefined;
}

/**
 * Returns the clocks of a thread of this process.
 *
 * @param number Function that returns the thread's ID, once known.
 * @param nowMs Function that returns a monotonic time, in milliseconds.
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
