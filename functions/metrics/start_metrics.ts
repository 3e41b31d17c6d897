/**
 * The metrics of the server's start.
 *
 * @module
 */

import { Gauge, type Registry } from "prom-client";
import type { Listing } from "../models/ports.ts";

/** Registers the start durations of `listing`. */
export function startMetrics(registry: Registry, listing: Listing): void {
  const registers = [registry];
  new Gauge({
    name: "emu3_start_phase_seconds",
    help: "Duration of a completed phase of loading a model",
    labelNames: ["model", "phase"],
    registers,
    collect() {
      for (const { name: model, state } of listing.models()) {
        for (const { name: phase, seconds } of state.phases) {
          if (seconds !== undefined) this.set({ model, phase }, seconds);
        }
      }
    },
  });
  new Gauge({
    name: "emu3_start_seconds",
    help: "Time from the start of the process until all models were ready",
    registers,
    collect() {
      // Zero would be a valid value.
      this.remove();
      if (listing.startSeconds !== undefined) this.set(listing.startSeconds);
    },
  });
}
