/**
 * The sink of log lines: as JSON, or in a readable form. An event is one line
 * of bounded length, with any quoted text.
 *
 * @module
 */

import type { AccessRecord, LogSink } from "./access_log.ts";
import { escapeWord, jsonLine } from "../../lib/escaped_text.ts";

/** A function that writes one line. */
export type WriteLine = (line: string) => void;

/** A format of lines. */
export type LogFormat = "json" | "pretty";

/** The maximum UTF-16 units of a stack. */
const MAX_STACK = 16_384;

/** Returns a sink that writes requests to `out` and failures to `err`. */
export function lineSink(
  format: LogFormat,
  out: WriteLine,
  err: WriteLine,
): LogSink {
  const access = format === "json"
    ? (record: AccessRecord) => out(jsonLine(record))
    : (record: AccessRecord) => {
      // Readers of this form need function calls, not the parts of a page.
      if (!isPagePart(record)) out(prettyLine(record));
    };
  return {
    access,
    failure: (id, error) => {
      const stack = error instanceof Error && error.stack || String(error);
      const time = new Date().toISOString();
      err(jsonLine({ time, id, error: stack.slice(0, MAX_STACK) }));
    },
  };
}

/** Returns true if a record is of a static file that exists. */
function isPagePart({ method, path, status }: AccessRecord): boolean {
  return method === "GET" && status < 400 &&
    (path.startsWith("/page/") || path.startsWith("/docs/") ||
      path === "/favicon.ico");
}

function prettyLine({ time, method, path, status, ...rest }: AccessRecord) {
  const tokens = rest.tokens === undefined ? "" : ` ${rest.tokens} tokens`;
  const [verb, place, id] = [method, path, rest.id].map((text) =>
    escapeWord(text)
  );
  return `${
    time.slice(11, 19)
  } ${status} ${verb} ${place} ${rest.duration_ms} ms${tokens} ${id}`;
}
