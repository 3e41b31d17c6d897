/**
 * The chain `album`: draws many prompts, a few at a time. A failed prompt does
 * not end it.
 *
 * Codes stay in the state of the children: the album holds their names.
 *
 * @module
 */

import type * as v from "valibot";
import type { ChainDefinition } from "../durable/chain.ts";
import { problemOf } from "../durable/chain_problem.ts";
import { childName } from "../durable/child_pictures.ts";
import { AlbumInput, AlbumOutput, type AlbumPicture } from "../schema/album.ts";
import { generationOptions } from "../schema/codes.ts";
import type { DrawInput } from "../schema/draw.ts";

/** The chain `album`. */
export const album: ChainDefinition<typeof AlbumInput, typeof AlbumOutput> = {
  name: "album",
  input: AlbumInput,
  output: AlbumOutput,
  run: async (steps, input) => {
    const inputs = pictureInputs(input, steps.seed(input.seed));
    const ends = await steps.drawEach(inputs, input.concurrency);
    const pictures = ends.map(({ value, failure }, index): AlbumPicture => {
      const { prompt } = inputs[index]!;
      if (failure !== undefined) {
        return { prompt, problem: problemOf(failure) };
      }
      const { picture: { seed }, caption } = value;
      const grid = childName(index);
      return { prompt, seed, grid, ...caption !== undefined && { caption } };
    });
    const done = pictures.filter(({ grid }) => grid !== undefined).length;
    return { pictures, done, failed: pictures.length - done };
  },
};

/** Returns the inputs of all pictures, with seeds that follow each other. */
function pictureInputs(
  { prompts, caption, ...options }: v.InferOutput<typeof AlbumInput>,
  first: number,
): readonly DrawInput[] {
  return prompts.map((item, index) => ({
    ...generationOptions(options),
    seed: first + index,
    ...typeof item === "string" ? { prompt: item } : item,
    codes: false,
    caption,
  }));
}
