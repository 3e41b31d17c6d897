/**
 * The command line of `deno task plan`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";

/** The arguments of the command. */
export interface PlanArguments {
  /** Path of the configuration file. */
  readonly file: string;
  /** True for JSON output. */
  readonly json: boolean;
}

/** Returns the error of an invalid command line, with the fault and the usage. */
function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("plan", reason, USAGE, options);
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task plan <config.json> [--json]

How many servers a load needs, how long it waits, and what that costs: by the
engine's own rules, with times that were measured. deploy/plan/example.json is
an example, its prices and times included. In <config.json>:

  engine        slots, queue_limit, cache_tokens, chunk_tokens: as the server has
                them (GET /v1/models); step_ms by rows, up to slots; prefill_ms by
                tokens, up to chunk_tokens; step_ms_per_held_token (0); wide_ms by
                rows, where a class guesses ahead
  classes       by name: prompt_tokens, after_s (0: decoding pixels), and
                  of a picture  height, width in codes, guided, tokens_per_run (1)
                  of an answer  new_tokens, max_tokens (new_tokens)
  requests      per_second, seconds, seed (0), shares by class;
                or trace: [{at_s, class}, …]
  replicas      min, max; where they differ target_requests (that wait or run, a
                server) and scale_down_delay_s (0)
  cold_start_s  by phase, such as {"instance": 20, "load": 10} (nothing)
  retries       whether who is refused comes again after Retry-After (true)
  price         currency, per_gpu_second, gpus (1) (no cost)
  target        p95_queue_s or p95_latency_s: finds the fewest servers, up to max`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): PlanArguments {
  const { values, positionals } = read(words);
  const [file, ...others] = positionals;
  if (file === undefined) throw usageError("no file is named");
  if (others.length > 0) {
    throw usageError(`"${others[0]}" is one file too many`);
  }
  return { file, json: values.json ?? false };
}

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, { json: { type: "boolean" } });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw usageError(reason, { cause });
  }
}
