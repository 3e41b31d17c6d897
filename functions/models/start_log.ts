/**
 * The log of a start: a line for each phase that has ended, and one at
 * intervals for a download under way.
 *
 * @module
 */

import { escapeText, jsonLine } from "../../lib/escaped_text.ts";
import type { LogFormat, WriteLine } from "../middleware/log_sink.ts";
import type { Phase } from "./load_phases.ts";

/** Returns a function that writes phases to `out`. */
export function startLog(
  format: LogFormat,
  out: WriteLine,
): (model: string, phase: Phase) => void {
  const line = format === "json" ? jsonPhase : prettyPhase;
  return (model, phase) => out(line(model, phase));
}

function jsonPhase(model: string, phase: Phase): string {
  const { name, startedAt, seconds, transfer } = phase;
  return jsonLine({
    time: new Date().toISOString(),
    start: name,
    model: model || undefined,
    "started_at": rounded(startedAt),
    seconds: rounded(seconds),
    bytes: transfer?.bytes,
    "total_bytes": transfer?.totalBytes,
    "bytes_per_second": transfer?.bytesPerSecond &&
      Math.round(transfer.bytesPerSecond),
    place: transfer?.place,
  });
}

function prettyPhase(model: string, phase: Phase): string {
  const { name, startedAt, seconds, transfer } = phase;
  const end = (startedAt + (seconds ?? 0)).toFixed(2);
  const took = seconds === undefined
    ? "in progress"
    : `${seconds.toFixed(2)} s`;
  return escapeText(
    `${end.padStart(8)} s  ${model && `${model}: `}${name} ${took}${
      transfer === undefined ? "" : `, ${transferText(transfer)}`
    }`,
  );
}

function transferText(
  { bytes, totalBytes, bytesPerSecond, place }: NonNullable<Phase["transfer"]>,
): string {
  const all = totalBytes === undefined ? "" : ` of ${gigabytes(totalBytes)}`;
  const rate = bytesPerSecond === undefined
    ? ""
    : ` at ${gigabytes(bytesPerSecond)}/s`;
  return `${gigabytes(bytes)}${all} from ${place}${rate}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Rounds to a millisecond. */
function rounded(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(1000 * seconds) / 1000;
}
