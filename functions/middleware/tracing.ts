/**
 * The tracing middleware: requests as parts of traces.
 *
 * With `OTEL_DENO=true` Deno sends spans by OpenTelemetry's protocol. It makes
 * one of each request that `node:http` receives, named by its method and with
 * the whole URL in it, but does not make it the active one; the span of the
 * route with its phases is therefore created here, beside it in the same trace.
 * Without OpenTelemetry, a request's `traceparent` still names the trace in the
 * log and in the answer.
 *
 * @module
 */

import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv } from "../http/context.ts";
import type { Timings } from "../http/server_timing.ts";
import {
  formatTraceParent,
  parseTraceParent,
  type TraceParent,
} from "./trace_parent.ts";

/** Returns middleware that sets the trace and the span of every request. */
export function tracing(): MiddlewareHandler<AppEnv> {
  const tracer = trace.getTracer("emu3");
  return async (c, next) => {
    const caller = parseTraceParent(c.req.header("traceparent"));
    const parent = contextOf(caller);
    const { method } = c.req;
    const attributes = { "http.request.method": method };
    const options = { kind: SpanKind.SERVER, attributes };
    const span = tracer.startSpan(method, options, parent);
    const recorded = isSpanContextValid(span.spanContext()) &&
      span.isRecording();
    const here = recorded ? placeOf(span) : continued(caller);
    c.set("trace", here);
    if (here !== undefined) c.header("traceparent", formatTraceParent(here));
    // No spans are collected, and no trace continues.
    if (!isSpanContextValid(span.spanContext())) return await next();
    try {
      await context.with(trace.setSpan(parent, span), next);
    } finally {
      const route = routePath(c);
      span.setAttribute("http.route", route)
        .setAttribute("http.response.status_code", c.res.status)
        .updateName(`${method} ${route}`);
      if (c.get("ended") === undefined) span.end();
      else c.get("ended")!.then(() => span.end());
    }
  };
}

/** Returns the context that a span is made in. */
function contextOf(caller: TraceParent | undefined): Context {
  if (caller === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = caller;
  const traceFlags = parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags,
    isRemote: true,
  });
}

/**
 * Returns a function that makes spans of ended phases within the current
 * request.
 *
 * Durations are known at the end only, so that spans are laid out backwards
 * from there; phases that overlap, such as alternating drawing and decoding,
 * still have their own length.
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

/** Returns a new span in the trace that the header names. */
function continued(parent: TraceParent | undefined): TraceParent | undefined {
  if (parent === undefined) return undefined;
  const spanId = crypto.getRandomValues(new Uint8Array(8)).toHex();
  return { ...parent, spanId };
}

function placeOf(span: Span): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, flags: traceFlags.toString(16).padStart(2, "0") };
}
