/**
 * What the process takes: prom-client's own, as far as Deno tells them.
 *
 * @module
 */

import { collectDefaultMetrics, Registry } from "prom-client";

/** Filled when first asked for: reading them starts observers of the process. */
let registry: Registry | undefined;

/** Memory, time and files of this process. */
export function processMetrics(): Registry {
  if (registry !== undefined) return registry;
  registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (UNTOLD.test(name)) registry.removeSingleMetric(name);
  }
  return registry;
}

/** Deno answers these with zeros, stand-ins or `NaN`. */
const UNTOLD =
  /^nodejs_(eventloop_lag_|active_|heap_space_|gc_|version_)|^process_heap_bytes$/;
