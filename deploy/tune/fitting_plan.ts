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

/**
 * Returns the plan of a run, and writes it.
 *
 * @throws {TuningError} If no arrangement fits; names what would.
 */
export function fittingPlan(
  { config, storedDtype, codeBits }: LanguageCheckpoint,
  { method, maxTokens }: Pick<TuningSettings, "method" | "maxTokens">,
  replays: boolean,
  { runtime, availableBytes, write, terminal }: TuningRoom,
): MemoryPlan {
  const plan = planMemory({
    config,
    method,
    replays,
    storedBytes: codeBits === undefined
      ? DTYPE_BYTES[storedDtype]
      : CODE_BYTES[codeBits],
    computedBytes: DTYPE_BYTES[runtime.provider.computeDtype],
    tokens: maxTokens,
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
    "lower --max-tokens",
    "use a machine with more memory",
  ].filter((remedy) => remedy !== undefined);
  throw new TuningError(
    `it takes ${total}, and ${formatBytes(availableBytes)} are available: ${
      remedies.join(", or ")
    }`,
  );
}
