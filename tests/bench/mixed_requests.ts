/**
 * The mixed workload: requests of every kind, reproducible by number.
 *
 * @module
 */

/** A request, and the behavior of its client. */
export interface MixedRequest {
  /** Path of the POST. */
  readonly path: string;
  /** Accepted media type. */
  readonly accept: string;
  /** JSON body. */
  readonly body: Readonly<Record<string, unknown>>;
  /** True if the client disconnects once the answer has begun. */
  readonly leaves: boolean;
}

/** Kinds of requests, in turn. */
const KINDS: readonly ((seed: number) => Omit<MixedRequest, "leaves">)[] = [
  (seed) => drawing(seed, { "guidance_scale": 2 }, "image/png"),
  (seed) => drawing(seed, { "guidance_scale": 1 }, CODES),
  (seed) => drawing(seed, { prefix: { codes: [row(seed, 0)] } }, CODES),
  (seed) => drawing(seed, { "guidance_scale": 1, n: 3 }, "application/json"),
  (seed) => answer(seed),
  (seed) => drawing(seed, { strategy: "jacobi" }, CODES),
  (seed) => drawing(seed, { strategy: "zipar", preview: true }, EVENTS),
  (seed) => answer(seed),
  (seed) => drawing(seed, { temperature: 0, logprobs: 2 }, EVENTS),
  (seed) => ({
    path: "/v1/detokenize",
    accept: "image/png",
    body: { grid: grid(seed) },
  }),
];

const CODES = "application/octet-stream";
const EVENTS = "text/event-stream";

/** Interval, in requests, at which a client disconnects. */
const LEAVING = 7;

/** Codebook size of the embedded model. */
const CODEBOOK = 2048;

/** Sides of pictures in codes, and pixels per code. */
const SIDES = [4, 6, 8] as const;
const PIXELS = 8;

/** Returns the request of a number. */
export function mixedRequest(index: number): MixedRequest {
  const request = KINDS[index % KINDS.length]!(index);
  return { ...request, leaves: index % LEAVING === LEAVING - 1 };
}

function drawing(
  seed: number,
  fields: Readonly<Record<string, unknown>>,
  accept: string,
): Omit<MixedRequest, "leaves"> {
  return {
    path: "/v1/generate",
    accept,
    body: {
      prompt: `${1 + seed % 9} apples on a blue background`,
      height: PIXELS * side(seed),
      width: PIXELS * side(seed),
      seed,
      ...fields,
    },
  };
}

function answer(seed: number): Omit<MixedRequest, "leaves"> {
  return {
    path: "/v1/caption",
    accept: seed % 2 === 0 ? EVENTS : "application/json",
    body: {
      grid: grid(seed),
      question: `How many apples are there? ${seed % 5}`,
      "max_tokens": 8,
    },
  };
}

function grid(seed: number): { codes: number[][] } {
  return { codes: Array.from({ length: side(seed) }, (_, y) => row(seed, y)) };
}

function row(seed: number, y: number): number[] {
  return Array.from(
    { length: side(seed) },
    (_, x) => (seed * 31 + y * 17 + x * 7) % CODEBOOK,
  );
}

function side(seed: number): number {
  return SIDES[seed % SIDES.length]!;
}
