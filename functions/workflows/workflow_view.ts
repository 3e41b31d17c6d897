/**
 * The view of a workflow: its steps and its end, in the form of an answer.
 *
 * @module
 */

import type { Context } from "hono";
import * as v from "valibot";
import type { ChainStatus } from "../../deploy/workflows/schema/status.ts";
import { type AppEnv, problemContext } from "../http/context.ts";
import { problemFrom } from "../http/errors/problem.ts";
import {
  UnknownWorkflowError,
  WorkflowFailedError,
  WorkflowsUnavailableError,
} from "../http/errors/workflow_errors.ts";
import { type JsonPart, withMember } from "../http/json_parts.ts";
import { ProblemAnswer } from "../schema/answers/server.ts";
import type { WorkflowFields } from "./workflow_answers.ts";
import type { WorkflowEnd, WorkflowIngress } from "./ingress.ts";
import type { CallerWorkflow } from "./workflow_key.ts";

type WorkflowProblem = NonNullable<WorkflowFields["problem"]>;

/** A workflow as far as it is known. */
export interface WorkflowView {
  /** Fields of the answer, without the output. */
  readonly fields: WorkflowFields;
  /** JSON of the output; undefined for none. */
  readonly output: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Returns the view of a workflow.
 *
 * @throws {UnknownWorkflowError} If there is none of this id.
 */
export async function readView(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  workflow: CallerWorkflow,
): Promise<WorkflowView> {
  const { signal } = c.get("call");
  const [end, status] = await Promise.all([
    ingress.end(workflow, signal),
    ingress.status(workflow, signal),
  ]);
  if (end.type === "unknown") throw new UnknownWorkflowError();
  return viewOf(c, workflow, end, status);
}

/** Returns the view of a workflow whose end is known. */
export async function readEndView(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  workflow: CallerWorkflow,
  end: WorkflowEnd,
): Promise<WorkflowView> {
  try {
    const status = await ingress.status(workflow, c.get("call").signal);
    return viewOf(c, workflow, end, status);
  } catch (error) {
    // The output is worth more than the steps, which the service reads.
    if (!(error instanceof WorkflowsUnavailableError)) throw error;
    return viewOf(c, workflow, end, undefined);
  }
}

/** Returns the view of a workflow of which nothing but its start is known. */
export function startedView(workflow: CallerWorkflow): WorkflowView {
  return {
    fields: { ...named(workflow), status: "running", steps: [] },
    output: undefined,
  };
}

/** Returns the JSON of a view in parts; the output is not parsed. */
export function viewParts({ fields, output }: WorkflowView): JsonPart[] {
  return output === undefined
    ? [JSON.stringify(fields)]
    : withMember(fields, "output", [output]);
}

/** Returns the path of a workflow. */
export function workflowPath({ chain, id }: CallerWorkflow): string {
  return `/v1/workflows/${chain}/${id}`;
}

function viewOf(
  c: Context<AppEnv>,
  workflow: CallerWorkflow,
  end: WorkflowEnd,
  status: ChainStatus | undefined,
): WorkflowView {
  const { steps = [], progress } = status ?? {};
  const problem = end.type === "failed"
    ? problemOf(c, end, status?.problem)
    : undefined;
  return {
    fields: {
      ...named(workflow),
      status: end.type === "unknown" ? "running" : end.type,
      steps,
      ...progress && { progress },
      ...problem && { problem },
    },
    output: end.type === "succeeded" ? end.output : undefined,
  };
}

function named({ id, chain }: CallerWorkflow) {
  return { id, object: "workflow", chain } as const;
}

/**
 * Returns the problem document of a failed workflow: its own with the members
 * that it lacks, or one of its message.
 */
function problemOf(
  c: Context<AppEnv>,
  { status, message }: Extract<WorkflowEnd, { readonly type: "failed" }>,
  own: ChainStatus["problem"],
): WorkflowProblem {
  const base = problemFrom(
    new WorkflowFailedError(message || `it ended with status ${status}`),
    problemContext(c),
  );
  const code = status >= 400 && status < 600 ? status : base.status;
  const document = { ...base, status: code, ...own };
  const parsed = v.safeParse(ProblemAnswer, document);
  return { ...parsed.success ? parsed.output : base, status: code };
}
