/** Laws of the time left, and of formatted quantities. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  bytesText,
  countText,
  percentText,
  secondsText,
} from "../../../../functions/playground/logic/quantities.js";
import { TimeLeft } from "../../../../functions/playground/logic/time_left.js";

Deno.test("TimeLeft is exact for a constant rate, just after a row", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 90 }),
      fc.integer({ min: 1, max: 9000 }),
      fc.nat(1e6),
      (total, pace, start) => {
        const time = new TimeLeft(total, start);
        for (let row = 1; row <= total; row++) {
          time.mark(start + row * pace);
          const seconds = time.seconds(start + row * pace);
          if (row < 2) strictEqual(seconds, undefined);
          else ok(Math.abs(seconds! - (total - row) * pace / 1000) < 1e-6);
        }
      },
    ),
  );
});

Deno.test("TimeLeft falls until the next row is due, and then rises", () => {
  const time = new TimeLeft(10, 0);
  for (let row = 1; row <= 4; row++) time.mark(row * 1000);
  strictEqual(time.seconds(4000), 6);
  strictEqual(time.seconds(4500), 5.5);
  strictEqual(time.seconds(5000), 5);
  ok(time.seconds(7000)! > 5);
  ok(time.seconds(60_000)! > time.seconds(7000)!);
});

Deno.test("TimeLeft follows a changing rate, and is never negative", () => {
  const time = new TimeLeft(40, 0);
  let now = 0;
  for (let row = 0; row < 20; row++) time.mark(now += 100);
  for (let row = 0; row < 15; row++) time.mark(now += 1000);
  strictEqual(time.seconds(now), 5);
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { maxLength: 12 }),
      fc.nat(1e4),
      (gaps, wait) => {
        const time = new TimeLeft(10, 0);
        let now = 0;
        for (const gap of gaps) time.mark(now += gap);
        ok((time.seconds(now + wait) ?? 0) >= 0);
      },
    ),
  );
});

Deno.test("quantities are formatted with useful precision", () => {
  deepStrictEqual(
    [12, 1500, 16.4e6, 8e9].map(bytesText),
    ["12 B", "2 KB", "16 MB", "8.00 GB"],
  );
  deepStrictEqual(
    [0.42, 9.94, 12.4, 300, 7200].map(secondsText),
    ["0.4 s", "9.9 s", "12 s", "5 min", "2.0 h"],
  );
  deepStrictEqual(
    [1, 0.452, 0.031, 1e-5].map((share) => percentText(Math.log(share))),
    ["100 %", "45 %", "3.1 %", "under 0.1 %"],
  );
  strictEqual(countText(1, "row"), "1 row");
  strictEqual(countText(2, "row"), "2 rows");
});
