/**
 * The schedule of a server's faults, reproducible by seed.
 *
 * @module
 */

/** A fault of one request. */
export type Fault =
  /** Refusal, optionally with a Retry-After. */
  | {
    readonly type: "status";
    readonly status: number;
    readonly retryAfter?: string;
  }
  /** Stall after some of the bytes. */
  | { readonly type: "stall"; readonly after: number }
  /** Broken connection after some of the bytes. */
  | { readonly type: "cut"; readonly after: number }
  /** Whole file instead of the range. */
  | { readonly type: "whole" }
  /** Corrupted byte. */
  | { readonly type: "corrupt"; readonly at: number }
  /** Switch to the model's next version, for every commit from now on. */
  | { readonly type: "moved" };

/** The properties of a request that faults depend on. */
export interface FaultyRequest {
  /** True for a request to the CDN. */
  readonly cdn: boolean;
  /** Range header. */
  readonly range: string | null;
}

/** Returns the fault of a request, by its number and properties. */
export type FaultSchedule = (
  request: number,
  asked: FaultyRequest,
) => Fault | undefined;

/** Schedule without faults. */
export const NO_FAULTS: FaultSchedule = (): undefined => undefined;

/** Returns a schedule of each of `faults` once, in order. */
export function inOrder(...faults: (Fault | undefined)[]): FaultSchedule {
  return (request) => faults[request];
}

/**
 * Creates a random schedule of all kinds of faults.
 *
 * @param rate Fraction of requests that fail, 0 to 1.
 */
export function faultSchedule(seed: number, rate: number): FaultSchedule {
  return (request) => {
    const random = randomOf(seed, request);
    if (random() >= rate) return undefined;
    const part = random();
    const kinds: readonly Fault[] = [
      { type: "status", status: 500 },
      { type: "status", status: 503, retryAfter: "0" },
      { type: "status", status: 429, retryAfter: "0" },
      { type: "stall", after: part },
      { type: "cut", after: part },
      { type: "cut", after: 0 },
      { type: "cut", after: part },
      { type: "whole" },
      { type: "corrupt", at: part },
      { type: "moved" },
    ];
    return kinds[Math.floor(random() * kinds.length)];
  };
}

/** Creates a pseudorandom generator of numbers in [0, 1): mulberry32. */
export function randomOf(seed: number, stream = 0): () => number {
  let state =
    (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(stream + 1, 0x85eb_ca6b)) >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
