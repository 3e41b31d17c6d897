/**
 * The status of a chain, as its handler `status` and the page show it.
 *
 * @module
 */

import * as v from "valibot";

/** The schema of a step. */
export const StepStatus = v.object({
  name: v.string(),
  status: v.picklist(["running", "waiting", "succeeded", "failed"]),
  seconds: v.optional(
    v.pipe(v.number(), v.description("Duration of its last attempt.")),
  ),
  text: v.optional(v.pipe(v.string(), v.description("Text that it produced."))),
  grid: v.optional(
    v.pipe(
      v.string(),
      v.description("Name of the codes that it produced."),
    ),
  ),
});
/** A step of a chain. */
export type StepStatus = v.InferOutput<typeof StepStatus>;

/** The schema of a chain's status. */
export const ChainStatus = v.object({
  chain: v.string(),
  status: v.picklist(["running", "succeeded", "failed", "canceled"]),
  steps: v.array(StepStatus),
  progress: v.optional(
    v.object({ done: v.number(), failed: v.number(), total: v.number() }),
  ),
  problem: v.optional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.description("Problem document of the request that ended the chain."),
    ),
  ),
});
/** The status of a chain. */
export type ChainStatus = v.InferOutput<typeof ChainStatus>;
