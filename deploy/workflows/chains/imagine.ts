/**
 * The chain `imagine`: draws a prompt, captions the picture, and compares both
 * with the prompt.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import { generationOptions } from "../schema/codes.ts";
import { ImagineInput, ImagineOutput } from "../schema/imagine.ts";
import { namedWords } from "./agreement.ts";

/** The chain `imagine`. */
export const imagine: ChainDefinition<
  typeof ImagineInput,
  typeof ImagineOutput
> = {
  name: "imagine",
  input: ImagineInput,
  output: ImagineOutput,
  run: async (steps, { prompt, seed, question, ...options }) => {
    const { model, adapter } = options;
    const picture = await steps.draw("draw", {
      prompt,
      seed: steps.seed(seed),
      ...generationOptions(options),
    });
    const { grid } = picture;
    const caption = await steps.caption("caption", { grid, question });
    const { logprob } = await steps.score("score", {
      grid,
      prompt,
      model,
      adapter,
    });
    const agreement = { ...namedWords(prompt, caption), logprob };
    return { picture, caption, agreement };
  },
};
