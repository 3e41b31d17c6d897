/**
 * The state of a chain beside its journal: small entries that its status
 * handler reads while the chain runs.
 *
 * @module
 */

import type {
  UntypedState,
  WorkflowContext,
  WorkflowSharedContext,
} from "@restatedev/restate-sdk/fetch";
import type { Grid } from "../schema/codes.ts";
import type { ChainStatus, StepStatus } from "../schema/status.ts";

/** The progress of a chain with many parts. */
export type ChainProgress = NonNullable<ChainStatus["progress"]>;

/** Prefix of the state that holds the codes of a step. */
const GRID = "grid:";

/** Prefix of the state that holds a chunk of steps. */
const STEPS = "steps:";

/**
 * Steps of a chunk: a chain of a thousand steps writes a few kilobytes for each
 * of them, not all of them.
 */
const CHUNK = 32;

/** Writes the state of a running chain. */
export class ChainState {
  readonly #context: WorkflowContext<UntypedState>;
  readonly #steps: StepStatus[] = [];
  /** Index of each step by its name. */
  readonly #places = new Map<string, number>();

  /** Creates the state of a chain that begins, or is replayed. */
  constructor(context: WorkflowContext<UntypedState>) {
    this.#context = context;
    context.set("invocation", context.request().id);
    context.set("status", "running");
  }

  /** Adds a step, or replaces the one of the same name. */
  step(step: StepStatus): void {
    const place = this.#places.get(step.name) ?? this.#steps.length;
    this.#places.set(step.name, place);
    this.#steps[place] = step;
    const start = place - place % CHUNK;
    this.#context.set(
      `${STEPS}${start / CHUNK}`,
      this.#steps.slice(start, start + CHUNK),
    );
  }

  /** Adds the codes of a step. */
  grid(name: string, grid: Grid): void {
    this.#context.set(`${GRID}${name}`, grid);
  }

  /** Sets the progress of a chain with many parts. */
  progress(progress: ChainProgress): void {
    this.#context.set("progress", progress);
  }

  /** Sets the final status, with the problem of a failed chain. */
  end(
    status: ChainStatus["status"],
    problem?: Readonly<Record<string, unknown>>,
  ): void {
    for (const step of this.#steps) {
      if (step.status !== "running" && step.status !== "waiting") continue;
      this.step({ name: step.name, status: "failed" });
    }
    if (problem !== undefined) this.#context.set("problem", problem);
    this.#context.set("status", status);
  }
}

/** Returns the status of the chain of `context`; null if there is none. */
export async function readStatus(
  chain: string,
  context: WorkflowSharedContext<UntypedState>,
): Promise<ChainStatus | null> {
  const status = await context.get<ChainStatus["status"]>("status");
  if (status === null) return null;
  const steps = await readSteps(context);
  const progress = await context.get<ChainProgress>("progress");
  const problem = await context.get<Record<string, unknown>>("problem");
  return {
    chain,
    status,
    steps,
    ...progress && { progress },
    ...problem && { problem },
  };
}

/** Returns the codes of those of `names` that the chain has drawn so far. */
export async function readGrids(
  context: WorkflowSharedContext<UntypedState>,
  names: readonly string[],
): Promise<Record<string, Grid>> {
  const grids: Record<string, Grid> = {};
  for (const name of names) {
    const grid = await context.get<Grid>(`${GRID}${name}`);
    if (grid !== null) grids[name] = grid;
  }
  return grids;
}

/** Returns all steps, chunk by chunk: the last one is not full. */
async function readSteps(
  context: WorkflowSharedContext<UntypedState>,
): Promise<StepStatus[]> {
  const steps: StepStatus[] = [];
  for (let chunk = 0; steps.length === chunk * CHUNK; chunk++) {
    steps.push(...await context.get<StepStatus[]>(`${STEPS}${chunk}`) ?? []);
  }
  return steps;
}
