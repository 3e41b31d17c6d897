/**
 * Log lines as JSON, or as people like them.
 *
 * @module
 */

import type { AccessRecord, LogSink } from "./access_log.ts";

/** Writes one line. */
export type WriteLine = (line: string) => void;

/** How lines look. */
export type LogFormat = "json" | "pretty";

/**
 * A sink that writes what happens to `out` and what goes wrong to `err`.
 */
export function lineSink(
  format: LogFormat,
  out: WriteLine,
  err: WriteLine,
): LogSink {
  const line = format === "json" ? jsonLine : prettyLine;
  return {
    access: (record) => out(line(record)),
    failure: (id, error) => {
      const stack = error instanceof Error && error.stack || String(error);
      err(JSON.stringify({ time: new Date().toISOString(), id, error: stack }));
    },
  };
}

function jsonLine(record: AccessRecord): string {
  return JSON.stringify(record);
}

function prettyLine({ time, method, path, status, ...rest }: AccessRecord) {
  const tokens = rest.tokens === undefined ? "" : ` ${rest.tokens} tokens`;
  return `${
    time.slice(11, 19)
  } ${status} ${method} ${path} ${rest.duration_ms} ms${tokens} ${rest.id}`;
}
