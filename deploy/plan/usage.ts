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

Plans the number of servers for a load: simulates the server's engine with
measured durations, and reports waits, utilization and cost. --json prints the
report as JSON. deploy/plan/example.json is an example; its durations and prices
are examples as well.

Fields of <config.json>, with defaults in parentheses:

  engine        slots, queue_limit, cache_tokens, chunk_tokens
                                          as in GET /v1/models of the server
                step_ms                   durations of a step, by rows up to slots
                step_ms_per_held_token    added per token in the cache (0)
                prefill_ms                durations of a prefill, by tokens up to
                                          chunk_tokens
                wide_ms                   durations of a speculative step, by rows;
                                          required if tokens_per_run is above 1
  classes       kinds of requests by name, each with prompt_tokens, after_s
                (0; time after the last token, such as decoding pixels), and
                  for pictures            height, width (in codes), guided,
                                          tokens_per_run (1)
                  for answers             new_tokens, max_tokens (new_tokens)
  requests      per_second, seconds, seed (0), shares (by class)
                  random arrivals, or
                trace                     a list of {"at_s", "class"}
  replicas      min, max                  numbers of servers
                target_requests           waiting and running requests per server;
                                          required if max is above min
                scale_down_delay_s        (0)
  cold_start_s  durations of its phases, such as {"instance": 20, "load": 10}
                (no cold start)
  retries       true if refused clients retry after Retry-After (true)
  price         currency, per_gpu_second, gpus (1)
                (no cost is reported)
  target        p95_queue_s or p95_latency_s
                searches for the fewest servers, up to max, that meet it
                (no search)`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): PlanArguments {
  const { values, positionals } = read(words);
  const [file, ...others] = positionals;
  if (file === undefined) throw usageError("the configuration file is missing");
  if (others.length > 0) {
    throw usageError(`"${others[0]}" is unexpected: one file at a time`);
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
