/**
 * How long a request took, for bodies (in seconds) and for the `Server-Timing`
 * header (in milliseconds).
 *
 * @module
 */

import type { Statistics } from "../../lib/engine/sequence.ts";

/** How long each part took. */
export interface Timings {
  /** Waiting for the model. */
  readonly "queue_s": number;
  /** Reading the prompt. */
  readonly "prefill_s": number;
  /** Choosing tokens. */
  readonly "decode_s": number;
  /** Between pixels and codes. */
  readonly "vision_s": number;
}

/** Timings of a run of the language model and of the vision tokenizer. */
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

/** The value of `Server-Timing`. */
export function serverTiming(timings: Partial<Timings>): string {
  return Object.entries(timings)
    .map(([name, value]) =>
      `${name.replace(/_s$/, "")};dur=${(1000 * value).toFixed(1)}`
    )
    .join(", ");
}

/** A clock that is stopped and started. */
export class Stopwatch {
  #milliseconds = 0;

  /** All measured time, in milliseconds. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Measures `task`. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await task();
    } finally {
      this.#milliseconds += performance.now() - start;
    }
  }
}

/** To a tenth of a millisecond. */
function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000;
}
