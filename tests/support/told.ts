/**
 * The events that a command reports to programs.
 *
 * @module
 */

import { Report } from "../../deploy/models/report.ts";

/** An event, parsed. */
export type Told = Readonly<Record<string, unknown>>;

/** Creates a report that records its events. */
export function keptReport(): { report: Report; told: Told[] } {
  const told: Told[] = [];
  const report = new Report({
    terminal: false,
    write: (text) => told.push(JSON.parse(text)),
    now: () => 0,
  });
  return { report, told };
}
