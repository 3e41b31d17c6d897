/**
 * The keys of workflows: the caller's id behind a hash of the caller, so that a
 * workflow is visible to its caller only.
 *
 * ```text
 * id    32 hexadecimal digits: of the caller's Idempotency-Key, or random
 * key   1f0c9a77-{id}
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Context } from "hono";
import { CHAINS } from "../../deploy/workflows/schema/chains.ts";
import type { AppEnv } from "../http/context.ts";
import { UnknownWorkflowError } from "../http/errors/workflow_errors.ts";
import { idempotencyKey } from "../jobs/idempotency.ts";
import type { WorkflowName } from "./ingress.ts";

/** A workflow of a caller. */
export interface CallerWorkflow extends WorkflowName {
  /** Id of the workflow for its caller. */
  readonly id: string;
}

const ID_LENGTH = 32;
const CALLER_LENGTH = 8;

/**
 * Returns the workflow that a request starts: the same for a repeated
 * Idempotency-Key, at any server.
 */
export function newWorkflow(
  c: Context<AppEnv>,
  chain: string,
): CallerWorkflow {
  const header = c.req.header("idempotency-key");
  const id = header === undefined
    ? crypto.randomUUID().replaceAll("-", "")
    : hash([c.get("principal"), chain, idempotencyKey(header)], ID_LENGTH);
  return workflowOf(c, chain, id);
}

/**
 * Returns the workflow that a path names.
 *
 * @throws {UnknownWorkflowError} If there is none of this form.
 */
export function namedWorkflow(c: Context<AppEnv>): CallerWorkflow {
  const { chain = "", id = "" } = c.req.param();
  if (!Object.hasOwn(CHAINS, chain) || !/^[0-9a-f]{32}$/.test(id)) {
    throw new UnknownWorkflowError();
  }
  return workflowOf(c, chain, id);
}

function workflowOf(
  c: Context<AppEnv>,
  chain: string,
  id: string,
): CallerWorkflow {
  const caller = hash([c.get("principal")], CALLER_LENGTH);
  return { chain, id, key: `${caller}-${id}` };
}

function hash(texts: readonly string[], length: number): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex")
    .slice(0, length);
}
