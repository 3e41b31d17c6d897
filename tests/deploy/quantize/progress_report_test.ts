import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ProgressReport } from "../../../deploy/quantize/progress_report.ts";

/** What is written when 10 MB are done, then all of 100 MB, a second apart. */
function written(terminal: boolean): string[] {
  const lines: string[] = [];
  let at = 0;
  const report = new ProgressReport({
    terminal,
    write: (text) => lines.push(text),
    now: () => at,
  });
  for (const doneBytes of [0, 5e6, 10e6, 100e6]) {
    report.show({ doneBytes, totalBytes: 100e6 });
    at += doneBytes === 0 ? 10 : 10_000;
  }
  report.end();
  return lines;
}

Deno.test("ProgressReport draws one line over and over in a terminal", () => {
  const lines = written(true);
  strictEqual(lines.length, 4);
  match(lines[0]!, /^\r\[ {24}\] {3}0 %/);
  match(lines[1]!, /^\r\[## {22}\] {2}10 % {2}1 MB\/s {2}1 min 31 s left/);
  match(lines[2]!, /^\r\[#{24}\] 100 %/);
  strictEqual(lines[3], "\n");
});

Deno.test("ProgressReport writes a JSON line now and then elsewhere", () => {
  const lines = written(false).map((line) => JSON.parse(line));
  deepStrictEqual(
    lines.map(({ done_bytes: done, total_bytes: total }) => [done, total]),
    [[0, 100e6], [10e6, 100e6], [100e6, 100e6]],
  );
  strictEqual(lines[0].seconds_left, null);
  strictEqual(lines[1].bytes_per_second, Math.round(10e6 / 10.01));
  strictEqual(lines[2].seconds_left, 0);
});
