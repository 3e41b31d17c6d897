import { strictEqual } from "node:assert/strict";
import {
  formatBytes,
  formatRate,
  formatSeconds,
  type ObtainProgress,
  RateTracker,
} from "../../../deploy/cache/progress.ts";

const progress = (
  bytes: number,
  phase: ObtainProgress["phase"] = "download",
): ObtainProgress => ({
  phase,
  bytes,
  totalBytes: phase === "wait" ? undefined : 17e9,
  place: "org/name at a hub",
});

Deno.test("formatPace() shows progress, speed and remaining time", () => {
  const meter = new RateTracker();
  strictEqual(
    formatRate(meter.at(progress(1e9), 0)),
    "downloading from org/name at a hub: 1.0 GB of 17.0 GB, 5 %",
  );
  strictEqual(
    formatRate(meter.at(progress(2e9), 2_000)),
    "downloading from org/name at a hub: 2.0 GB of 17.0 GB, 11 %, 500.0 MB/s, 30 s left",
  );
  strictEqual(
    formatRate(meter.at(progress(0, "wait"), 3_000)),
    "waiting for org/name at a hub",
  );
});

Deno.test("RateTracker averages over the last seconds, and restarts with each phase", () => {
  const meter = new RateTracker();
  meter.at(progress(0), 0);
  meter.at(progress(5e9), 1_000);
  meter.at(progress(5e9), 6_000);
  strictEqual(meter.at(progress(5e9), 12_000).bytesPerSecond, 0);
  strictEqual(meter.at(progress(5e9), 12_000).secondsLeft, undefined);
  strictEqual(
    meter.at(progress(1e9, "verify"), 13_000).bytesPerSecond,
    undefined,
  );
});

Deno.test("formatBytes() and formatSeconds() write readable units", () => {
  const bytes = [0, 999, 1_000, 999_949, 999_950, 17e9, 2e15];
  strictEqual(
    bytes.map(formatBytes).join(" | "),
    "0 B | 999 B | 1.0 kB | 999.9 kB | 1.0 MB | 17.0 GB | 2000.0 TB",
  );
  strictEqual(
    [0, 0.1, 99, 100, 5_940, 7_500].map(formatSeconds).join(" | "),
    "0 s | 1 s | 99 s | 2 min | 99 min | 2 h 5 min",
  );
});
