/**
 * Requests as parts of traces.
 *
 * Deno makes a span of every request and sends it by OpenTelemetry's protocol
 * when `OTEL_DENO=true`; here it gets its route and one span for each phase.
 * Without that, a request's `traceparent` still names the trace in the log and
 * in the answer.
 *
 * Deno's span holds the URL with its query, and adds to attributes in place of
 * changing them: a question in a query is in the trace, one in a body never.
 *
 * @module
 */

import { context, type Span, trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv } from "./context.ts";
import type { Timings } from "./timings.ts";
import {
  formatTraceParent,
  parseTraceParent,
  type TraceParent,
} from "./trace_parent.ts";

/** Tells every request's place in its trace. */
export function tracing(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const span = trace.getActiveSpan();
    const here = span === undefined
      ? continued(c.req.header("traceparent"))
      : placeOf(span);
    c.set("trace", here);
    if (here !== undefined) c.header("traceparent", formatTraceParent(here));
    await next();
    const route = routePath(c);
    span?.setAttribute("http.route", route).updateName(
      `${c.req.method} ${route}`,
    );
  };
}

/**
 * Makes spans of phases that have just ended, within the request at hand.
 *
 * They are known at the end only, so that they are laid out backwards from
 * there; where they overlap, as pictures that are drawn and decoded by turns,
 * each still has its own length.
 */
export function phaseSpans(): (
  model: string,
  timings: Partial<Timings>,
) => void {
  const parent = context.active();
  const tracer = trace.getTracer("emu3");
  return (model, timings) => {
    let endTime = Date.now();
    for (const [name, seconds] of Object.entries(timings).reverse()) {
      const startTime = endTime - 1000 * seconds;
      const attributes = { "emu3.model": model };
      tracer.startSpan(
        name.replace(/_s$/, ""),
        { startTime, attributes },
        parent,
      ).end(endTime);
      endTime = startTime;
    }
  };
}

/** A part of its own in the trace that the header names. */
function continued(header: string | undefined): TraceParent | undefined {
  const parent = parseTraceParent(header);
  if (parent === undefined) return undefined;
  const spanId = crypto.getRandomValues(new Uint8Array(8)).toHex();
  return { ...parent, spanId };
}

function placeOf(span: Span): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, flags: traceFlags.toString(16).padStart(2, "0") };
}
