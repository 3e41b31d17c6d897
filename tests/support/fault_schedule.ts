/**
 * What goes wrong at a server, and when: the same for the same seed.
 *
 * @module
 */

/** What may go wrong with one request. */
export type Fault =
  /** It is refused, perhaps with a time to come back. */
  | {
    readonly type: "status";
    readonly status: number;
    readonly retryAfter?: string;
  }
  /** Nothing comes any more after some of the bytes. */
  | { readonly type: "stall"; readonly after: number }
  /** The connection breaks after some of the bytes. */
  | { readonly type: "cut"; readonly after: number }
  /** The whole file comes instead of the range. */
  | { readonly type: "whole" }
  /** A byte is another. */
  | { readonly type: "corrupt"; readonly at: number }
  /** From now on the model is the next one, whatever commit is asked for. */
  | { readonly type: "moved" };

/** What a request asks for, as far as faults are about that. */
export interface FaultyRequest {
  /** Whether it came to the CDN. */
  readonly cdn: boolean;
  /** Its Range header. */
  readonly range: string | null;
}

/** The fault of a request, by its number, or by what it asks for. */
export type FaultSchedule = (
  request: number,
  asked: FaultyRequest,
) => Fault | undefined;

/** Nothing goes wrong. */
export const NO_FAULTS: FaultSchedule = (): undefined => undefined;

/** Each of `faults` once, in order, and then nothing. */
export function inOrder(...faults: (Fault | undefined)[]): FaultSchedule {
  return (request) => faults[request];
}

/**
 * Faults of every kind at random.
 *
 * @param rate Of requests that fail, 0 to 1.
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

/** Numbers from 0 to 1 that look random: mulberry32. */
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
