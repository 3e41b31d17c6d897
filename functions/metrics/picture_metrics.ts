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
    "Maximum number of threads of the image codec",
    ({ threads }) => threads,
  ],
  [
    "emu3_codec_threads_started",
    "Number of threads of the image codec",
    ({ started }) => started,
  ],
  [
    "emu3_codec_running",
    "Images being decoded, resized or encoded",
    ({ running }) => running,
  ],
  [
    "emu3_codec_waiting",
    "Images waiting for a thread of the codec",
    ({ waiting }) => waiting,
  ],
  [
    "emu3_pixel_budget_bytes",
    "Memory limit of decoded images",
    ({ budget }) => budget.total,
  ],
  [
    "emu3_pixel_held_bytes",
    "Memory of decoded images, in use or reserved",
    ({ budget }) => budget.held,
  ],
  [
    "emu3_pixel_waiting",
    "Requests waiting for image memory",
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
      "Calls of the image codec that ended without a result: late (too much CPU time), stalled, crashed, abandoned by their client",
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
