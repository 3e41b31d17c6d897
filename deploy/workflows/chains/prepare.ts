/**
 * The chain `prepare`: encodes a folder of pictures with their texts for tuning,
 * in parts, each a step that goes on where it was after a crash.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import { PrepareInput, PrepareOutput } from "../schema/prepare.ts";
import { type PreparationPlace, preparePart } from "./prepare_part.ts";

/** Returns the chain `prepare` of a service. */
export function prepareChain(
  place: PreparationPlace,
): ChainDefinition<typeof PrepareInput, typeof PrepareOutput> {
  return {
    name: "prepare",
    input: PrepareInput,
    output: PrepareOutput,
    run: async (steps, input) => {
      const { out, shards, concurrency } = input;
      const parts = await steps.runParts({
        count: shards,
        concurrency,
        name: (index) => `part.${index}`,
        run: (index, signal) => preparePart(place, input, index, signal),
      });
      const sum = (field: "records" | "errors") =>
        parts.reduce((total, part) => total + part[field], 0);
      return {
        out,
        records: sum("records"),
        errors: sum("errors"),
        parts: [...parts],
      };
    },
  };
}
