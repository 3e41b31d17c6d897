/**
 * The benchmark of concurrency on one server: eight pictures together against
 * one after the other, and a question while eight pictures are drawn.
 *
 * @module
 */

import { type Answered, drawCodes, firstWord } from "./client.ts";
import { best, bestInTurn } from "./timing.ts";

/** The costs of concurrency. */
export interface CrowdCosts {
  /** Seconds of one unguided picture, alone. */
  readonly aloneSeconds: number;
  /** Seconds of eight pictures at once. */
  readonly togetherSeconds: number;
  /** Seconds to the first word of an answer, alone. */
  readonly wordAloneSeconds: number;
  /** Seconds to the first word while eight pictures are drawn. */
  readonly wordInCrowdSeconds: number;
  /** Limit of the latter: twice as long as alone, and a prefill chunk. */
  readonly wordLimitSeconds: number;
}

/** Count of concurrent pictures. */
export const PICTURES = 8;

/** Tokens of a prefill chunk. */
const CHUNK_LENGTH = 256;

/** Sides of the questions' pictures, in codes. */
const ASKED_SIDE = 8;
const CHUNK_SIDE = 16;

/**
 * Runs pictures and questions.
 *
 * @param side Side of the pictures, in codes.
 * @param runs Runs of each; the fastest counts.
 */
export async function benchCrowd(
  url: string,
  side: number,
  runs: number,
): Promise<CrowdCosts> {
  const draw = (seed: number) =>
    drawCodes(url, { side, guidanceScale: 1, seed });
  const drawAll = () =>
    Promise.all(Array.from({ length: PICTURES }, (_, seed) => draw(seed)));
  const [aloneSeconds, togetherSeconds] = await bestInTurn(
    runs,
    () => draw(0),
    drawAll,
  );
  let code = 0;
  const ask = (side: number) => firstWord(url, { side, code: code++ });
  const wordAloneSeconds = await best(runs, () => ask(ASKED_SIDE));
  const chunkSeconds = await chunk(runs, () => ask(CHUNK_SIDE));
  let wordInCrowdSeconds = Infinity;
  for (let run = 0; run < runs; run++) {
    const pictures = drawAll();
    await sleep(togetherSeconds / 3);
    const { seconds } = await ask(ASKED_SIDE);
    wordInCrowdSeconds = Math.min(wordInCrowdSeconds, seconds);
    await pictures;
  }
  return {
    aloneSeconds,
    togetherSeconds,
    wordAloneSeconds,
    wordInCrowdSeconds,
    wordLimitSeconds: 2 * wordAloneSeconds + chunkSeconds,
  };
}

/** Measures the seconds of a full prefill chunk. */
async function chunk(
  runs: number,
  ask: () => Promise<Answered>,
): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const { prefillSeconds, promptTokens } = await ask();
    const chunks = promptTokens / CHUNK_LENGTH;
    least = Math.min(least, prefillSeconds / chunks);
  }
  return least;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
