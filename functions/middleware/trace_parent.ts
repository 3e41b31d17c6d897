/**
 * The `traceparent` header (W3C Trace Context): the trace of a request, and the
 * calling part of that trace.
 *
 * ```text
 * 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *    trace                            part              flags
 * ```
 *
 * @module
 */

/** The parent span of a request. */
export interface TraceParent {
  /** Trace id of 32 hexadecimal digits. */
  readonly traceId: string;
  /** Span id of 16 hexadecimal digits. */
  readonly spanId: string;
  /** Flags of 2 hexadecimal digits. */
  readonly flags: string;
}

/** Parses the header; returns undefined if it is malformed. */
export function parseTraceParent(
  header: string | undefined,
): TraceParent | undefined {
  // Later versions may have more at the end.
  const [, version, traceId, spanId, flags, more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
      .exec(header ?? "") ?? [];
  if (version === undefined || version === "ff") return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, flags: flags! };
}

/** Returns the header for a span. */
export function formatTraceParent(
  { traceId, spanId, flags }: TraceParent,
): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
