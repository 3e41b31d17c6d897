/**
 * Many at once on one server: eight pictures together against one after the
 * other, and a question that comes while eight pictures are drawn.
 *
 * @module
 */

import { type Answered, drawCodes, firstWord } from "./client.ts";
import { best, bestInTurn } from "./timing.ts";

/** What a crowd costs. */
export interface CrowdCosts {
  /** One unguided picture, alone. */
  readonly aloneSeconds: number;
  /** Eight of them, at once. */
  readonly togetherSeconds: number;
  /** The first word of an answer, alone. */
  readonly wordAloneSeconds: number;
  /** The same while eight pictures are drawn. */
  readonly wordInCrowdSeconds: number;
  /** What it may take: twice as long as alone, and a chunk of a prompt. */
  readonly wordLimitSeconds: number;
}

/** Pictures at once. */
export const PICTURES = 8;

/** Tokens that the server reads of a prompt at a time. */
const CHUNK_LENGTH = 256;

/** Sides of the pictures that questions are about, in codes. */
const ASKED_SIDE = 8;
const CHUNK_SIDE = 16;

/**
 * Draws and asks.
 *
 * @param side Of the pictures, in codes.
 * @param runs Of each; the least counts.
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

/** Seconds that reading a full chunk of a prompt takes. */
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
