/**
 * The metrics of the picture codec and of the memory for pictures, read on each
 * scrape.
 *
 * @module
 */

import { Counter, Gauge, type Registry } from "prom-client";
import type { Listing, PictureLoad } from "../models/ports.ts";

const GAUGES: readonly (readonly [
  name: string,
  help: string,
  read: (load: PictureLoad) => number,
])[] = [
  [
    "emu3_codec_threads",
    "Threads that may decode and encode pictures at once",
    ({ threads }) => threads,
  ],
  [
    "emu3_codec_threads_started",
    "Threads of the picture codec that there are",
    ({ started }) => started,
  ],
  [
    "emu3_codec_running",
    "Pictures that are decoded, resized or encoded",
    ({ running }) => running,
  ],
  [
    "emu3_codec_waiting",
    "Pictures that wait for a thread of the codec",
    ({ waiting }) => waiting,
  ],
  [
    "emu3_pixel_budget_bytes",
    "Memory that pictures may hold",
    ({ budget }) => budget.total,
  ],
  [
    "emu3_pixel_held_bytes",
    "Memory that pictures hold or reserved",
    ({ budget }) => budget.held,
  ],
  [
    "emu3_pixel_waiting",
    "Requests that wait for memory for pictures",
    ({ budget }) => budget.waiting,
  ],
];

/** Registers the load of the codec, if `listing` reports it. */
export function pictureMetrics(registry: Registry, listing: Listing): void {
  if (listing.pictures === undefined) return;
  const registers = [registry];
  for (const [name, help, read] of GAUGES) {
    const collect = function (this: Gauge) {
      if (listing.pictures !== undefined) this.set(read(listing.pictures));
    };
    new Gauge({ name, help, registers, collect });
  }
  new Counter({
    name: "emu3_codec_lost_total",
    help:
      "Calls of the picture codec that ended without a reply: late (too much CPU time), stalled, crashed, abandoned by their client",
    labelNames: ["reason"],
    registers,
    collect() {
      // Counted elsewhere: only the sum is available.
      this.reset();
      const lost = Object.entries(listing.pictures?.lost ?? {});
      for (const [reason, count] of lost) this.inc({ reason }, count);
    },
  });
}
