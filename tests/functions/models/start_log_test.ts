import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Phase } from "../../../functions/models/load_phases.ts";
import { startLog } from "../../../functions/models/start_log.ts";

const done: Phase = {
  name: "weights",
  startedAt: 0.5,
  seconds: 1.25,
  transfer: undefined,
};
const download: Phase = {
  name: "download",
  startedAt: 0.25,
  seconds: undefined,
  transfer: {
    place: "a hub",
    bytes: 4e9,
    totalBytes: 16e9,
    bytesPerSecond: 5e8,
  },
};

Deno.test("startLog() writes a phase as a line of JSON", () => {
  const lines: string[] = [];
  const log = startLog("json", (line) => void lines.push(line));
  log("m", done);
  log("", done);
  log("m", download);
  const [first, second, third] = lines.map((line) => {
    const { time, ...rest } = JSON.parse(line);
    match(time, /^\d{4}-.*Z$/);
    return rest;
  });
  const common = { start: "weights", "started_at": 0.5, seconds: 1.25 };
  deepStrictEqual(first, { ...common, model: "m" });
  deepStrictEqual(second, common);
  deepStrictEqual(third, {
    start: "download",
    model: "m",
    "started_at": 0.25,
    bytes: 4e9,
    "total_bytes": 16e9,
    "bytes_per_second": 5e8,
    place: "a hub",
  });
});

Deno.test("startLog() writes a phase as a line for display", () => {
  const lines: string[] = [];
  const log = startLog("pretty", (line) => void lines.push(line));
  log("m", done);
  log("", { ...done, name: "library" });
  log("m", download);
  deepStrictEqual(lines.slice(0, 2), [
    "    1.75 s  m: weights 1.25 s",
    "    1.75 s  library 1.25 s",
  ]);
  strictEqual(
    lines[2],
    "    0.25 s  m: download in progress, 4.00 GB of 16.00 GB from a hub at 0.50 GB/s",
  );
});
