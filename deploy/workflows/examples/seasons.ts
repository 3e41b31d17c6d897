/**
 * An example of a chain: a scene in the four seasons, from one seed.
 *
 * @module
 */

import * as v from "valibot";
import type { ChainDefinition } from "../durable/chain.ts";
import { Drawn, Text } from "../schema/codes.ts";

const Input = v.strictObject({ scene: Text });
const Output = v.object({ pictures: v.array(Drawn) });

/** The chain `seasons`. */
export const seasons: ChainDefinition<typeof Input, typeof Output> = {
  name: "seasons",
  input: Input,
  output: Output,
  run: async (steps, { scene }) => {
    const seed = steps.seed(undefined);
    const pictures: Drawn[] = [];
    for (const season of ["spring", "summer", "autumn", "winter"]) {
      const prompt = `${scene} in ${season}`;
      pictures.push(await steps.draw(season, { prompt, seed }));
    }
    return { pictures };
  },
};
