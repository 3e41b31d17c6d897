/**
 * The answers about workflows.
 *
 * @module
 */

import * as v from "valibot";
import type { ChainInfo } from "../../deploy/workflows/schema/chains.ts";
import { ChainStatus } from "../../deploy/workflows/schema/status.ts";
import type { AnswerOf } from "../schema/answers/answers.ts";
import { ProblemAnswer } from "../schema/answers/server.ts";

const { status, steps, progress } = ChainStatus.entries;

const WORKFLOW_ENTRIES = {
  id: v.string(),
  object: v.literal("workflow"),
  chain: v.pipe(v.string(), v.description("Name of the chain.")),
  status,
  steps: v.pipe(
    steps,
    v.description("Steps so far. The codes of a step are at ?grid=<its grid>."),
  ),
  progress,
  problem: v.optional(ProblemAnswer),
};

/** The schema of a workflow without its output. */
const WorkflowStatus = v.strictObject(WORKFLOW_ENTRIES);
/** The fields of a workflow without its output. */
export type WorkflowFields = AnswerOf<typeof WorkflowStatus>;

/** The schema of a workflow, with its output once it has succeeded. */
export const WorkflowAnswer = v.pipe(
  v.strictObject({
    ...WORKFLOW_ENTRIES,
    output: v.optional(
      v.pipe(
        v.record(v.string(), v.unknown()),
        v.description("Output of the chain, once it has succeeded."),
      ),
    ),
  }),
  v.metadata({ ref: "Workflow" }),
);

/** Returns the schema of a succeeded workflow of a chain. */
export function succeededAnswer({ output }: ChainInfo): v.GenericSchema {
  return v.strictObject({ ...WORKFLOW_ENTRIES, output });
}

/** The schema of the list of chains. */
export const ChainsAnswer = v.pipe(
  v.strictObject({
    object: v.literal("list"),
    data: v.array(
      v.strictObject({
        chain: v.pipe(v.string(), v.description("Name of the chain.")),
        description: v.string(),
        input: v.pipe(
          v.record(v.string(), v.unknown()),
          v.description("JSON Schema of the body that starts the chain."),
        ),
      }),
    ),
  }),
  v.metadata({ ref: "Chains" }),
);
