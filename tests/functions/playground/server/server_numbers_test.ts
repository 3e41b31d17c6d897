import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  duration,
  lastMoment,
  startRows,
} from "../../../../functions/playground/server/start_rows.js";
import {
  ratesBetween,
  sampleOf,
  sumOf,
} from "../../../../functions/playground/server/throughput.js";

const METRICS = `# HELP emu3_tokens_total Tokens
# TYPE emu3_tokens_total counter
emu3_tokens_total 120
emu3_forwards_total{model="a"} 10
emu3_forwards_total{model="b"} 2.5e1
http_requests_total{method="GET",route="/",status="200",ok="true"} 7
http_requests_total{method="POST",route="/v1/generate",status="200",ok="true"} 3
http_requests_total_other 99
`;

Deno.test("sumOf() sums a counter over its labels", () => {
  deepStrictEqual(sampleOf(METRICS, 5), {
    atMs: 5,
    tokens: 120,
    forwards: 35,
    requests: 3,
  });
  strictEqual(sumOf(METRICS, "emu3_nothing_total"), 0);
});

Deno.test("ratesBetween() returns rates per second, and undefined after a restart", () => {
  const before = { atMs: 0, tokens: 10, forwards: 4, requests: 1 };
  const after = { atMs: 2000, tokens: 50, forwards: 8, requests: 1 };
  deepStrictEqual(ratesBetween(before, after), {
    tokens: 20,
    forwards: 2,
    requests: 0,
  });
  strictEqual(ratesBetween(after, { ...before, atMs: 4000 }), undefined);
  strictEqual(ratesBetween(before, before), undefined);
});

Deno.test("startRows() returns bars inside the axis, the program's own first", () => {
  const phases = [
    { name: "resolve", started_at: 1, seconds: 1 },
    {
      name: "weights",
      started_at: 2,
      transfer: {
        place: "hub",
        bytes: 1e9,
        total_bytes: 4e9,
        bytes_per_second: 1e9,
      },
    },
  ];
  strictEqual(lastMoment(phases), 2);
  const rows = startRows(phases, 4);
  deepStrictEqual(rows.map(({ name }) => name), [
    "program",
    "resolve",
    "weights",
  ]);
  deepStrictEqual(rows.map(({ from }) => from), [0, 0.25, 0.5]);
  deepStrictEqual(rows.map(({ part }) => part), [0.25, 0.25, 0.5]);
  deepStrictEqual(rows.map(({ running }) => running), [false, false, true]);
  strictEqual(
    rows[2]?.facts,
    "in progress, 1.00 GB of 4.00 GB, 1.00 GB/s, 3.0 s left",
  );
  ok(startRows([], 0).length === 0);
});

Deno.test("duration() formats with useful precision", () => {
  strictEqual(duration(0.0181), "18 ms");
  strictEqual(duration(1.26), "1.3 s");
});
