/**
 * The timings of a request, for bodies (in seconds) and for the `Server-Timing`
 * header (in milliseconds).
 *
 * @module
 */

import type { Statistics } from "../../lib/engine/sequence.ts";

/** The durations of the parts of a request. */
export interface Timings {
  /** Seconds of waiting for the model. */
  readonly "queue_s": number;
  /** Seconds of prefill. */
  readonly "prefill_s": number;
  /** Seconds of decode steps. */
  readonly "decode_s": number;
  /** Seconds of conversion between pixels and codes. */
  readonly "vision_s": number;
}

/**
 * Returns the timings of a run of the language model and the vision tokenizer.
 */
export function timingsFrom(
  { queueMs, prefillMs, decodeMs }: Statistics,
  visionMs: number,
): Timings {
  return {
    "queue_s": seconds(queueMs),
    "prefill_s": seconds(prefillMs),
    "decode_s": seconds(decodeMs),
    "vision_s": seconds(visionMs),
  };
}

/** Returns the value of the `Server-Timing` header. */
export function serverTiming(timings: Partial<Timings>): string {
  return Object.entries(timings)
    .map(([name, value]) =>
      `${name.replace(/_s$/, "")};dur=${(1000 * value).toFixed(1)}`
    )
    .join(", ");
}

/** A stopwatch: sums the durations of several tasks. */
export class Stopwatch {
  #milliseconds = 0;

  /** All measured time, in milliseconds. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Runs `task` and adds its duration. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await task();
    } finally {
      this.#milliseconds += performance.now() - start;
    }
  }

  /** Yields `values`, and adds the time until each of them arrives. */
  async *arrivals<T>(values: AsyncGenerator<T>): AsyncGenerator<T, void> {
    try {
      while (true) {
        const { done, value } = await this.run(() => values.next());
        if (done) return;
        yield value;
      }
    } finally {
      await values.return(undefined);
    }
  }
}

/** Returns seconds, rounded to a tenth of a millisecond. */
function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000;
}
