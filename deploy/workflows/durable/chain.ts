/**
 * A chain: a function of typed steps that becomes a durable workflow.
 *
 * ```text
 * run      input → output, once for a key; the result is kept for a day
 * status   its steps, and its problem
 * grids    codes of its pictures, by name
 * cancel   stops it, and the model
 * ```
 *
 * @module
 */

import {
  CancelledError,
  handlers,
  InvocationIdParser,
  TerminalError,
  type UntypedState,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowSharedContext,
} from "@restatedev/restate-sdk/fetch";
import * as v from "valibot";
import type { Emu3Client } from "../emu3/emu3_client.ts";
import { readStatus } from "./chain_state.ts";
import { ChainProblem, problemOf } from "./chain_problem.ts";
import { readAllGrids } from "./child_pictures.ts";
import { Steps } from "./steps.ts";

/** A definition of a chain. */
export interface ChainDefinition<
  Input extends v.GenericSchema,
  Output extends v.GenericSchema,
> {
  /** Name, as in `/v1/workflows/{chain}`. */
  readonly name: string;
  /** Schema of the input. */
  readonly input: Input;
  /** Schema of the output. */
  readonly output: Output;
  /**
   * Version of its steps, 1 by default. A change of their order or names raises
   * it, and runs the steps as before where `steps.version` is lower.
   */
  readonly version?: number;
  /** Days that its result is kept after its end; 1 by default. */
  readonly retentionDays?: number;
  /** Runs the chain. */
  readonly run: (
    steps: Steps,
    input: v.InferOutput<Input>,
  ) => Promise<v.InferInput<Output>>;
}

/** A chain as the service serves it. */
export type ServedChain = WorkflowDefinition<string, unknown>;

/** Longest time of a step: a picture of a large model on a CPU takes hours. */
const STEP_LIMIT = { days: 1 } as const;

/** Days that the result of a chain can be fetched after its end. */
const RETENTION_DAYS = 1;

/** Options of handlers that read the state: nothing of them is kept. */
const QUERY = { journalRetention: 0, enableLazyState: true } as const;

/**
 * Retries while the service is away, which are not limited: a chain continues
 * once it is back.
 */
const RETRIES = {
  initialInterval: { milliseconds: 250 },
  maxInterval: { seconds: 15 },
  maxAttempts: 1_000_000_000,
} as const;

/** Returns the durable workflow of a chain, ready to serve. */
export function durableChain<
  Input extends v.GenericSchema,
  Output extends v.GenericSchema,
>(
  chain: ChainDefinition<Input, Output>,
  client: Emu3Client,
): ServedChain {
  return workflow({
    name: chain.name,
    handlers: {
      run: (context: WorkflowContext<UntypedState>, input: unknown) =>
        runChain(chain, client, context, input),
      status: handlers.workflow.shared(
        QUERY,
        (context: WorkflowSharedContext<UntypedState>) =>
          readStatus(chain.name, context),
      ),
      grids: handlers.workflow.shared(
        QUERY,
        (context: WorkflowSharedContext<UntypedState>, names: string[]) =>
          readAllGrids(context, chain.name, names),
      ),
      cancel: handlers.workflow.shared(QUERY, cancel),
    },
    options: {
      // A cancellation reaches a running step through the open connection only,
      // which the runtime closes after this time without a journal entry.
      inactivityTimeout: STEP_LIMIT,
      abortTimeout: STEP_LIMIT,
      workflowRetention: { days: chain.retentionDays ?? RETENTION_DAYS },
      journalRetention: { days: RETENTION_DAYS },
      retryPolicy: RETRIES,
    },
  });
}

async function runChain<
  Input extends v.GenericSchema,
  Output extends v.GenericSchema,
>(
  chain: ChainDefinition<Input, Output>,
  client: Emu3Client,
  context: WorkflowContext<UntypedState>,
  input: unknown,
): Promise<v.InferInput<Output>> {
  const steps = new Steps(context, client, chain.name);
  try {
    await steps.begin(chain.version ?? 1);
    const output = await chain.run(steps, parsedInput(chain.input, input));
    steps.state.end("succeeded");
    return output;
  } catch (error) {
    if (error instanceof CancelledError) {
      await steps.cancelJobs();
      steps.state.end("canceled");
    } else if (error instanceof TerminalError) {
      await steps.cancelJobs();
      steps.state.end("failed", problemOf(error));
    }
    throw error;
  }
}

/** @throws {ChainProblem} If the input does not have the chain's schema. */
function parsedInput<Input extends v.GenericSchema>(
  schema: Input,
  input: unknown,
): v.InferOutput<Input> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const errors = parsed.issues.map((issue) => ({
    field: `/${v.getDotPath(issue)?.replaceAll(".", "/") ?? ""}`,
    detail: issue.message,
  }));
  const detail = errors.map(({ field, detail }) => `${field}: ${detail}`)
    .join("; ");
  throw new ChainProblem("input", 422, {
    status: 422,
    title: "Invalid fields",
    detail,
    errors,
  });
}

/** Cancels the chain of `context`; returns false if there is none. */
async function cancel(
  context: WorkflowSharedContext<UntypedState>,
): Promise<boolean> {
  const invocation = await context.get<string>("invocation");
  if (invocation === null) return false;
  context.cancel(InvocationIdParser.fromString(invocation));
  return true;
}
