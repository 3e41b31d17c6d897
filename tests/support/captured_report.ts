/**
 * The events that a command reports to programs.
 *
 * @module
 */

import { Report } from "../../deploy/models/report.ts";

/** An event, parsed. */
export type ReportedLine = Readonly<Record<string, unknown>>;

/** Creates a report that records its events. */
export function captureReport(): { report: Report; lines: ReportedLine[] } {
  const lines: ReportedLine[] = [];
  const report = new Report({
    terminal: false,
    write: (text) => lines.push(JSON.parse(text)),
    now: () => 0,
  });
  return { report, lines };
}
