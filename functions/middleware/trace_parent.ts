/**
 * The `traceparent` header (W3C Trace Context): which trace a request belongs
 * to, and which of its parts asked.
 *
 * ```text
 * 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *    trace                            part              flags
 * ```
 *
 * @module
 */

/** A part of a trace. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** 2 hexadecimal digits. */
  readonly flags: string;
}

/** What a header says; undefined when it is not as the standard has it. */
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

/** The header that says where we stand. */
export function formatTraceParent(
  { traceId, spanId, flags }: TraceParent,
): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
