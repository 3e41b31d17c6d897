/**
 * Later versions of the service, at the address of the present one, for the laws
 * of upgrades.
 *
 * ```text
 * added     imagine has a further step at its end
 * versioned imagine has a further step at its begin, in chains that begin in it
 * moved     imagine has that step in all chains: running ones do not have it
 * ```
 *
 * @module
 */

import { createEndpointHandler } from "@restatedev/restate-sdk/fetch";
import { imagine } from "../../../deploy/workflows/chains/imagine.ts";
import { durableChain } from "../../../deploy/workflows/durable/chain.ts";
import { Emu3Client } from "../../../deploy/workflows/emu3/emu3_client.ts";
import type { Steps } from "../../../deploy/workflows/durable/steps.ts";

/** A change of the chain `imagine`. */
export type Change = "added" | "versioned" | "moved";

/** Codes of the further step. */
const GRID = { codes: [[1, 2], [3, 4]] };

/** A further step. */
const ask = (steps: Steps) => steps.caption("further", { grid: GRID });

/** Versions of `imagine`. */
const CHANGED: Record<Change, typeof imagine> = {
  added: {
    ...imagine,
    run: async (steps, input) => {
      const output = await imagine.run(steps, input);
      await ask(steps);
      return output;
    },
  },
  versioned: {
    ...imagine,
    version: 2,
    run: async (steps, input) => {
      if (steps.version >= 2) await ask(steps);
      return await imagine.run(steps, input);
    },
  },
  moved: {
    ...imagine,
    run: async (steps, input) => {
      await ask(steps);
      return await imagine.run(steps, input);
    },
  },
};

if (import.meta.main) {
  const url = Deno.env.get("EMU3_URL")!;
  const client = new Emu3Client({ url, apiKey: undefined });
  const change = Deno.env.get("CHANGE") as Change;
  const handler = createEndpointHandler({
    services: [durableChain(CHANGED[change], client)],
    bidirectional: true,
  });
  Deno.serve({
    hostname: "127.0.0.1",
    port: Number(Deno.env.get("PORT")),
    onListen: () => {},
  }, handler);
}
