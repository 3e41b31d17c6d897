/**
 * What a command tells programs.
 *
 * @module
 */

import { Report } from "../../deploy/models/report.ts";

/** An event, as it is read back. */
export type Told = Readonly<Record<string, unknown>>;

/** A report that keeps its events. */
export function keptReport(): { report: Report; told: Told[] } {
  const told: Told[] = [];
  const report = new Report({
    terminal: false,
    write: (text) => told.push(JSON.parse(text)),
    now: () => 0,
  });
  return { report, told };
}
