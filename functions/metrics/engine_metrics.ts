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
  ["emu3_queue_depth", "Requests that wait", ({ waiting }) => waiting],
  [
    "emu3_queue_age_seconds",
    "How long the request that waits longest has waited",
    ({ oldestWaitMs }) => oldestWaitMs / 1000,
  ],
  ["emu3_requests_running", "Requests at work", ({ running }) => running],
  [
    "emu3_slots",
    "Sequences that may be decoded together",
    ({ slots }) => slots,
  ],
  [
    "emu3_slots_in_use",
    "Sequences that are decoded",
    ({ slotsInUse }) => slotsInUse,
  ],
  [
    "emu3_kv_budget_bytes",
    "Keys and values that may be held",
    ({ cache, cacheTokenBytes }) => cache.tokens * cacheTokenBytes,
  ],
  [
    "emu3_kv_held_bytes",
    "Keys and values that are held or reserved",
    ({ cache, cacheTokenBytes }) => cache.tokensHeld * cacheTokenBytes,
  ],
];

const COUNTERS: readonly Reading[] = [
  [
    "emu3_forwards_total",
    "Runs of the language model",
    ({ forwards }) => forwards,
  ],
  [
    "emu3_prefix_cache_hits_total",
    "Prompts whose beginning was computed already",
    ({ cache }) => cache.prefixes.hits,
  ],
  [
    "emu3_prefix_cache_misses_total",
    "Prompts of which nothing was computed already",
    ({ cache }) => cache.prefixes.misses,
  ],
  [
    "emu3_prefix_cache_tokens_saved_total",
    "Tokens of prompts that needed no computing",
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
    help: "1 for the state that a model is in",
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
