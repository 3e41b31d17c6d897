/**
 * A stand-in for the engine of workflows, on the port of its argument: each
 * workflow ends at once, with an output of its chain, a problem or a
 * cancellation in turn.
 *
 * @module
 */

import * as v from "valibot";
import { CHAINS } from "../../../deploy/workflows/schema/chains.ts";
import { openStubIngress, type StubEnd } from "../../support/stub_ingress.ts";

const grid = { height: 1, width: 2, codes: [[1, 2]] };
const picture = { seed: 3, grid };
const words = { named: ["dot"], missing: [] };

/** An output of each chain. */
const OUTPUTS: Readonly<Record<keyof typeof CHAINS, unknown>> = {
  imagine: { picture, caption: "a dot", agreement: { ...words, logprob: -2 } },
  draw: { picture },
  "best_of": { best: 0, pictures: [{ ...picture, logprob: -2, gain: null }] },
  refine: { picture, satisfied: true, rounds: [] },
  remix: { caption: "a dot", prompt: "a dot", picture },
  album: {
    pictures: [{ prompt: "a dot", seed: 3, grid: "draw" }],
    done: 1,
    failed: 0,
  },
  prepare: { out: "set", records: 0, errors: 0, parts: [] },
};

/** Returns the end of a workflow that succeeds. */
function success(chain: keyof typeof CHAINS): StubEnd {
  return { output: v.parse(CHAINS[chain].output, OUTPUTS[chain]) };
}

/** The ends of workflows, which come in turn. */
const ENDS: readonly ((chain: keyof typeof CHAINS) => StubEnd)[] = [
  success,
  success,
  () => ({ code: 422, message: "draw: Cannot fit the prompt" }),
  () => ({ code: 409, message: "Cancelled" }),
];

if (import.meta.main) {
  const stub = openStubIngress(Number(Deno.args[0]));
  let count = 0;
  stub.onStart = (workflow, name) => {
    workflow.grids = { draw: grid };
    workflow.status = {
      status: "succeeded",
      steps: [{ name: "draw", status: "succeeded", seconds: 1, grid: "draw" }],
    };
    const [chain] = name.split("/") as [keyof typeof CHAINS];
    stub.finish(workflow, ENDS[count++ % ENDS.length]!(chain));
  };
}
