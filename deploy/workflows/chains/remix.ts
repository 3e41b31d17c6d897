/**
 * The chain `remix`: captions a picture, and draws the caption as a new picture.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import { ChainProblem } from "../durable/chain_problem.ts";
import type { Steps } from "../durable/steps.ts";
import { generationOptions, type Grid } from "../schema/codes.ts";
import { RemixInput, RemixOutput } from "../schema/remix.ts";

/** The chain `remix`. */
export const remix: ChainDefinition<typeof RemixInput, typeof RemixOutput> = {
  name: "remix",
  input: RemixInput,
  output: RemixOutput,
  run: async (steps, input) => {
    const { question, style, keep, seed } = input;
    const source = await sourceGrid(steps, input);
    const caption = await steps.caption("caption", { grid: source, question });
    const prompt = restyled(caption, style);
    const picture = await steps.draw("draw", {
      prompt,
      seed: steps.seed(seed),
      ...keep > 0 && { keep: keptRows(source, keep) },
      ...generationOptions(input),
    });
    return { caption, prompt, picture };
  },
};

/**
 * Returns the codes of the picture to remix.
 *
 * @throws {ChainProblem} If the input has none, or two.
 */
async function sourceGrid(
  steps: Steps,
  { grid, image_url: url }: {
    readonly grid?: Grid | undefined;
    readonly image_url?: string | undefined;
  },
): Promise<Grid> {
  if (grid !== undefined && url === undefined) {
    steps.given("source", grid);
    return grid;
  }
  if (grid === undefined && url !== undefined) {
    return await steps.tokenize("source", { image: url });
  }
  const detail = grid === undefined
    ? "/grid: the picture is missing; give grid or image_url"
    : "/image_url: cannot be combined with grid; give one of them";
  throw new ChainProblem("input", 422, {
    status: 422,
    title: "Invalid fields",
    detail,
  });
}

/** Returns the prompt of a caption, with the style after a comma. */
export function restyled(caption: string, style: string | undefined): string {
  if (style === undefined) return caption;
  return `${caption.replace(/[\s.]+$/, "")}, ${style}`;
}

/** Returns codes of which the first rows are kept, and the others drawn. */
export function keptRows(
  { codes }: Grid,
  keep: number,
): { readonly codes: readonly (readonly (number | null)[])[] } {
  return {
    codes: codes.map((row, y) => y < keep ? row : row.map(() => null)),
  };
}
