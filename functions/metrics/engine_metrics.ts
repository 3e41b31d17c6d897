/**
 * The metrics of engines and models, read on each scrape.
 *
 * @module
 */

import { Counter, Gauge, type Registry } from "prom-client";
import type { EngineListing, Listing } from "../models/ports.ts";

/** A number that an engine reports. */
type Reading = readonly [
  name: string,
  help: string,
  read: (engine: EngineListing) => number,
];

const GAUGES: readonly Reading[] = [
  ["emu3_queue_depth", "Number of waiting requests", ({ waiting }) => waiting],
  [
    "emu3_queue_age_seconds",
    "Age of the oldest waiting request",
    ({ oldestWaitMs }) => oldestWaitMs / 1000,
  ],
  [
    "emu3_requests_running",
    "Number of running requests",
    ({ running }) => running,
  ],
  [
    "emu3_slots",
    "Maximum number of sequences in a batch",
    ({ slots }) => slots,
  ],
  [
    "emu3_slots_in_use",
    "Number of sequences being decoded",
    ({ slotsInUse }) => slotsInUse,
  ],
  [
    "emu3_kv_budget_bytes",
    "Capacity of the KV cache",
    ({ cache, cacheTokenBytes }) => cache.tokens * cacheTokenBytes,
  ],
  [
    "emu3_kv_held_bytes",
    "KV cache in use or reserved",
    ({ cache, cacheTokenBytes }) => cache.tokensHeld * cacheTokenBytes,
  ],
];

const COUNTERS: readonly Reading[] = [
  [
    "emu3_forwards_total",
    "Forward passes of the language model",
    ({ forwards }) => forwards,
  ],
  [
    "emu3_prefix_cache_hits_total",
    "Prompts with a cached prefix",
    ({ cache }) => cache.prefixes.hits,
  ],
  [
    "emu3_prefix_cache_misses_total",
    "Prompts without a cached prefix",
    ({ cache }) => cache.prefixes.misses,
  ],
  [
    "emu3_prefix_cache_tokens_saved_total",
    "Prompt tokens taken from the prefix cache",
    ({ cache }) => cache.prefixes.tokensSaved,
  ],
];

const STATES = ["unloaded", "loading", "ready", "failed"] as const;

/** Registers the metrics of `listing`. */
export function engineMetrics(registry: Registry, listing: Listing): void {
  const registers = [registry];
  const labelNames = ["model"];
  for (const [name, help, read] of GAUGES) {
    const collect = function (this: Gauge) {
      for (const [model, engine] of engines(listing)) {
        this.set({ model }, read(engine));
      }
    };
    new Gauge({ name, help, labelNames, registers, collect });
  }
  for (const [name, help, read] of COUNTERS) {
    const collect = function (this: Counter) {
      // Counted elsewhere: only the sum is available.
      this.reset();
      for (const [model, engine] of engines(listing)) {
        this.inc({ model }, read(engine));
      }
    };
    new Counter({ name, help, labelNames, registers, collect });
  }
  new Gauge({
    name: "emu3_model_state",
    help: "State of a model: 1 for the current state, else 0",
    labelNames: ["model", "state"],
    registers,
    collect() {
      for (const { name: model, state } of listing.models()) {
        for (const one of STATES) {
          this.set({ model, state: one }, state.state === one ? 1 : 0);
        }
      }
    },
  });
}

function engines(listing: Listing): [string, EngineListing][] {
  return listing.models().flatMap(({ name, engine }) =>
    engine === undefined ? [] : [[name, engine]]
  );
}
