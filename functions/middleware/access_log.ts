/**
 * The access log, one record a request: ids, sizes and durations, never
 * prompts.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/context.ts";
import { isUnexpected } from "../http/errors/problem.ts";

/** A request that has ended. */
export interface AccessRecord {
  /** End of the request, in ISO 8601. */
  readonly time: string;
  /** Id of the request. */
  readonly id: string;
  /** Method of the request. */
  readonly method: string;
  /** Path without the query, which may hold a question; long ones are cut. */
  readonly path: string;
  /** HTTP status; 499 if the client disconnected. */
  readonly status: number;
  /** Milliseconds from the request's first byte to the answer's last. */
  readonly "duration_ms": number;
  /** Principal: the name of a key, or `anonymous`. */
  readonly principal: string;
  /** Number of tokens or codes that were made. */
  readonly tokens: number | undefined;
  /** Model that answered. */
  readonly model: string | undefined;
  /** Milliseconds of waiting for the model. */
  readonly "queue_ms": number | undefined;
  /** Milliseconds of prefill. */
  readonly "prefill_ms": number | undefined;
  /** Milliseconds of decode steps. */
  readonly "decode_ms": number | undefined;
  /** Milliseconds of conversion between pixels and codes. */
  readonly "vision_ms": number | undefined;
  /** Id of the trace that the request belongs to. */
  readonly trace: string | undefined;
}

/** A sink of log records. */
export interface LogSink {
  /** Logs a request that has ended. */
  access(record: AccessRecord): void;
  /** Logs an unexpected error. */
  failure(requestId: string, error: unknown): void;
}

/** The status of a request whose client disconnected. */
const CLIENT_GONE = 499;

/** The maximum UTF-16 units of a path. */
const MAX_PATH = 1024;

/** Returns middleware that logs every request once its answer has ended. */
export function accessLog(sink: LogSink): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    // The router runs middleware twice for the path `/*`.
    if (c.get("report") !== undefined) return await next();
    const start = performance.now();
    c.set("report", (error) => {
      if (isUnexpected(error)) sink.failure(c.get("requestId"), error);
    });
    await next();
    const write = () => {
      const gone = c.req.raw.signal.aborted || c.get("abandon").signal.aborted;
      sink.access({
        time: new Date().toISOString(),
        id: c.get("requestId"),
        method: c.req.method,
        path: shortened(c.req.path),
        status: gone ? CLIENT_GONE : c.res.status,
        "duration_ms": milliseconds((performance.now() - start) / 1000)!,
        principal: c.get("principal"),
        tokens: c.get("tokens"),
        model: c.get("model"),
        "queue_ms": milliseconds(c.get("timings")?.queue_s),
        "prefill_ms": milliseconds(c.get("timings")?.prefill_s),
        "decode_ms": milliseconds(c.get("timings")?.decode_s),
        "vision_ms": milliseconds(c.get("timings")?.vision_s),
        trace: c.get("trace")?.traceId,
      });
    };
    if (c.get("ended") === undefined) write();
    else c.get("ended")!.then(write);
  };
}

/** Returns `path`, cut to the maximum length. */
function shortened(path: string): string {
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}

/** Converts seconds to milliseconds, rounded to a tenth. */
function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 10_000) / 10;
}
