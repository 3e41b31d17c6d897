/**
 * The process metrics: those of prom-client that Deno supports.
 *
 * @module
 */

import { collectDefaultMetrics, Registry } from "prom-client";

/** The registry, made on first use: reading starts observers of the process. */
let registry: Registry | undefined;

/** Returns the metrics of memory, time and files of this process. */
export function processMetrics(): Registry {
  if (registry !== undefined) return registry;
  registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (HIDDEN.test(name)) registry.removeSingleMetric(name);
  }
  return registry;
}

/** The metrics for which Deno returns zeros, placeholders or `NaN`. */
const HIDDEN =
  /^nodejs_(eventloop_lag_|active_|heap_space_|gc_|version_)|^process_heap_bytes$/;
