/**
 * The chain `draw`: draws a prompt, and scores and captions the picture on
 * request. Other chains start it as a child, for each of their pictures.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import type { Steps } from "../durable/steps.ts";
import { generationOptions, type Grid } from "../schema/codes.ts";
import { DrawInput, DrawOutput, type Score } from "../schema/draw.ts";

/** Days that codes are kept: an album may take several. */
const RETENTION_DAYS = 7;

/** The chain `draw`. */
export const draw: ChainDefinition<typeof DrawInput, typeof DrawOutput> = {
  name: "draw",
  input: DrawInput,
  output: DrawOutput,
  retentionDays: RETENTION_DAYS,
  run: async (steps, { prompt, seed, codes, score, caption, ...input }) => {
    const options = generationOptions(input);
    const { grid, ...picture } = await steps.draw("draw", {
      prompt,
      seed: steps.seed(seed),
      ...options,
    });
    const output: DrawOutput = {
      picture: { ...picture, ...codes && { grid } },
    };
    if (score) output.score = await scored(steps, grid, { prompt, ...options });
    if (caption) {
      const { question } = input;
      output.caption = await steps.caption("caption", { grid, question });
    }
    return output;
  },
};

/** Returns the score of a picture: what the prompt explains of it. */
async function scored(
  steps: Steps,
  grid: Grid,
  { prompt, negative_prompt: negative = "", model, adapter }: {
    readonly prompt: string;
    readonly negative_prompt?: string | undefined;
    readonly model?: string | undefined;
    readonly adapter?: string | undefined;
  },
): Promise<Score> {
  const body = { grid, model, adapter };
  const { logprob } = await steps.score("score", { ...body, prompt });
  const without = await steps.score("score without the prompt", {
    ...body,
    prompt: negative,
  });
  const gain = logprob === null || without.logprob === null
    ? null
    : logprob - without.logprob;
  return { logprob, gain };
}
