/**
 * The memory plan of a run that fits, or a refusal with the remedy.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { type MemoryPlan, planMemory } from "../../lib/tuning/memory_plan.ts";
import type { TuningSettings } from "../../lib/tuning/settings.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import { DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { formatBytes } from "../cache/progress.ts";
import type { TuneArguments } from "./arguments.ts";
import { CODE_BYTES, figures } from "./print_plan.ts";

/** The memory of a run. */
export interface TuningRoom {
  /** Runtime that computes. */
  readonly runtime: Runtime;
  /** Bytes of memory that the run may take. */
  readonly availableBytes: number;
  /** Writes the plan. */
  readonly write: (text: string) => void;
  /** True if it is written as words. */
  readonly terminal: boolean;
}

/** The settings that a plan depends on. */
export type PlannedSettings =
  & Pick<TuningSettings, "method" | "maxTokens" | "batch">
  & Pick<TuneArguments, "parallel">;

/**
 * Returns the plan of a run, and writes it.
 *
 * @throws {TuningError} If no arrangement fits; names what would. If records are
 * to run side by side on a device.
 */
export function fittingPlan(
  { config, storedDtype, codeBits }: LanguageCheckpoint,
  { method, maxTokens, batch, parallel }: PlannedSettings,
  replays: boolean,
  { runtime, availableBytes, write, terminal }: TuningRoom,
): MemoryPlan {
  if (runtime.device !== undefined && (parallel ?? 1) > 1) {
    throw new TuningError(
      "a device computes one record after the other: leave out --parallel, or use DEVICE=cpu",
    );
  }
  const plan = planMemory({
    config,
    method,
    replays,
    storedBytes: codeBits === undefined
      ? DTYPE_BYTES[storedDtype]
      : CODE_BYTES[codeBits],
    computedBytes: DTYPE_BYTES[runtime.provider.computeDtype],
    tokens: maxTokens,
    parallel: parallel === undefined ? parallelOf(runtime, batch) : [parallel],
  }, availableBytes);
  const [weights, trained, activations, work, total] = figures(plan);
  const words = `Memory: ${total} of ${
    formatBytes(availableBytes)
  } (weights ${weights}, trained ${trained}, activations ${activations}, work ${work})`;
  write(
    terminal
      ? `${words}\n`
      : `${JSON.stringify({ event: "plan", ...plan, availableBytes })}\n`,
  );
  if (plan.totalBytes <= availableBytes) return plan;
  const remedies = [
    method.kind === "full" ? "use --method lora" : undefined,
    codeBits === undefined && method.kind === "lora"
      ? "quantize the checkpoint to int8 or int4 (deno task quantize)"
      : undefined,
    parallel === undefined || parallel === 1
      ? undefined
      : "lower --parallel, for a new run",
    "lower --max-tokens",
    "use a machine with more memory",
  ].filter((remedy) => remedy !== undefined);
  throw new TuningError(
    `it takes ${total}, and ${formatBytes(availableBytes)} are available: ${
      remedies.join(", or ")
    }`,
  );
}

/**
 * Returns the numbers of records of a step that may run side by side: as many as
 * there are threads, which all have work if the step has as many records.
 */
function parallelOf({ threads, device }: Runtime, batch: number): number[] {
  const all = device === undefined && threads > 1 && threads <= batch;
  return all ? [threads, 1] : [1];
}
