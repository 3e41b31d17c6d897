import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Report } from "../../../deploy/models/report.ts";

/** Returns the output after 10 MB, after all of 100 MB, and after an event. */
function written(terminal: boolean): string[] {
  const lines: string[] = [];
  let at = 0;
  const report = new Report({
    terminal,
    write: (text) => lines.push(text),
    now: () => at,
  });
  for (const bytes of [0, 5e6, 10e6, 100e6]) {
    report.progress({ what: "getting", bytes, totalBytes: 100e6 });
    at += bytes === 0 ? 10 : 10_000;
  }
  report.event({ event: "pulled", source: "a" }, "a is here");
  return lines;
}

Deno.test("Report draws a bar in a terminal, and erases it before an event", () => {
  const lines = written(true);
  match(lines[0]!, /^\rgetting \[ {24}\] {3}0 %/);
  match(lines[1]!, /\[## {22}\] {2}10 % {2}999\.0 kB\/s {2}91 s left/);
  match(lines[2]!, /\[#{24}\] 100 %/);
  deepStrictEqual(lines.slice(3), ["\r\x1b[K", "a is here\n"]);
});

Deno.test("Report writes one line of JSON per event elsewhere", () => {
  const events = written(false).map((line) => JSON.parse(line));
  deepStrictEqual(events.map(({ event }) => event), [
    "progress",
    "progress",
    "progress",
    "pulled",
  ]);
  strictEqual(events[1].total_bytes, 100e6);
});
