/**
 * The wait for the end of a workflow, which goes on without it: after a lost
 * connection, a timeout, or the stop of this server.
 *
 * @module
 */

import type { Context } from "hono";
import { delay } from "../../lib/async/delay.ts";
import type { AppEnv } from "../http/context.ts";
import { WorkflowsUnavailableError } from "../http/errors/workflow_errors.ts";
import type { Drain } from "../middleware/drain.ts";
import type { WorkflowEnd, WorkflowIngress, WorkflowName } from "./ingress.ts";

/** The time of one connection, so that lost ones are noticed. */
const CONNECTION_MS = 60_000;

/** Failures in a row after which the wait ends, and the pause after each. */
const MAX_FAILURES = 10;
const PAUSE_MS = 1000;

/** Options of a wait. */
export interface WaitOptions {
  /** Longest time, in milliseconds; undefined for no limit. */
  readonly limitMs: number | undefined;
  /** State of the server: its stop ends the wait. */
  readonly drain: Drain;
}

/**
 * Returns the end of a workflow; undefined if the wait ends before. It never
 * fails, since the caller needs the id of the workflow.
 */
export async function waitForEnd(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  name: WorkflowName,
  { limitMs, drain }: WaitOptions,
): Promise<WorkflowEnd | undefined> {
  const stop = new AbortController();
  const leave = drain.add({
    remainingMs: () => undefined,
    interrupt: () => stop.abort(),
  });
  const signals = [c.get("call").signal, stop.signal];
  if (limitMs !== undefined) signals.push(AbortSignal.timeout(limitMs));
  try {
    return await attached(ingress, name, AbortSignal.any(signals));
  } finally {
    leave();
  }
}

async function attached(
  ingress: WorkflowIngress,
  name: WorkflowName,
  signal: AbortSignal,
): Promise<WorkflowEnd | undefined> {
  const timeoutMs = CONNECTION_MS;
  for (let failures = 0; failures < MAX_FAILURES && !signal.aborted;) {
    try {
      const end = await ingress.attach(name, { signal, timeoutMs });
      if (end.type !== "running") return end;
      // An engine that is gone answers neither.
      await ingress.end(name, signal);
      failures = 0;
      continue;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof WorkflowsUnavailableError)) throw error;
      failures++;
    }
    await delay(PAUSE_MS, signal);
  }
  return undefined;
}
