/**
 * What a store's answer means for whoever asked: the bytes, or what can be
 * done about it.
 *
 * ```text
 * 429, 408, 5xx, SlowDown   ask again, when Retry-After says
 * 412, 416                  another content than was listed
 * 200 to a Range            whole files only
 * 401, 403, 404, …          elsewhere
 * ```
 *
 * Messages name the place and the file, never a query, a header or a key.
 *
 * @module
 */

import { type ByteRange, type Remedy, RemoteError } from "../remote.ts";

/** What was asked of whom, for messages. */
export interface Asked {
  /** Such as `read "model.safetensors" of s3://bucket/prefix`. */
  readonly what: string;
  /** What would do where access is refused. */
  readonly access: string;
}

/** Codes of errors that pass: S3 has some of them under 400. */
const PASSING = new Set([
  "SlowDown",
  "RequestTimeout",
  "InternalError",
  "ServiceUnavailable",
  "ThrottlingException",
  "OperationAborted",
]);

/** Seconds that are believed; an hour is longer than anybody waits. */
const MAX_RETRY_AFTER_S = 3600;

/** The error that an answer other than the wanted one is. */
export function refusal(
  asked: Asked,
  { status, headers }: Pick<Response, "status" | "headers">,
  code?: string,
): RemoteError {
  const says = code === undefined ? `${status}` : `${status} ${code}`;
  const failure = (reason: string, remedy: Remedy) =>
    new RemoteError(`Cannot ${asked.what}: ${reason}`, remedy);
  const passing = code !== undefined && PASSING.has(code);
  if (passing || status === 408 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(headers);
    return failure(
      `it answers ${says} for now, try again later`,
      { type: "retry", retryAfterMs },
    );
  }
  if (status === 412 || status === 416) {
    return failure(
      `it answers ${says}: the file was changed since it was listed`,
      { type: "changed" },
    );
  }
  if (status === 404 || status === 410) {
    return failure(
      `it answers ${says}: there is none, check the name`,
      { type: "elsewhere" },
    );
  }
  if (status === 401 || status === 403 || code?.startsWith("Expired")) {
    return failure(
      `it answers ${says}: access is refused, ${asked.access}`,
      { type: "elsewhere" },
    );
  }
  return failure(
    `it answers ${says}, which is not what it was asked for`,
    { type: "elsewhere" },
  );
}

/** Not every server heeds conditions: an answer of another version is none. */
export async function refuseOtherVersion(
  asked: Asked,
  answer: Response,
  versions: {
    readonly wanted: string | undefined;
    readonly seen: string | undefined;
  },
): Promise<void> {
  const { wanted, seen } = versions;
  if (wanted === undefined || seen === undefined || wanted === seen) return;
  await answer.body?.cancel();
  throw new RemoteError(
    `Cannot ${asked.what}: the file was changed since it was listed`,
    { type: "changed" },
  );
}

/** Milliseconds that `Retry-After` asks for: seconds, or a date. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  const seconds = /^\d+$/.test(value)
    ? Number(value)
    : (Date.parse(value) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  return 1000 * Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S);
}

/** The error that a request without an answer is; an abort stays itself. */
export function unanswered(
  asked: Asked,
  cause: unknown,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return signal.reason;
  return new RemoteError(
    `Cannot ${asked.what}: the connection failed, check the network`,
    { type: "retry", retryAfterMs: undefined },
    // Its message may hold the URL, and with it a signature.
    { cause: cause instanceof Error ? cause.name : typeof cause },
  );
}

/**
 * The body of an answer to a range: those bytes, no more and no fewer.
 *
 * @param size Of the whole file, in bytes.
 * @throws {RemoteError} When it is about other bytes, or about another file.
 */
export function rangeBody(
  asked: Asked,
  answer: Response,
  range: ByteRange & { readonly size: number },
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { start, end, size } = range;
  const failure = (reason: string, remedy: Remedy) =>
    new RemoteError(`Cannot ${asked.what}: ${reason}`, remedy);
  if (answer.status === 206) {
    const said = answer.headers.get("content-range") ?? "";
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(said) ??
      [];
    if (total !== undefined && total !== "*" && Number(total) !== size) {
      throw failure(
        `it has ${total} bytes, ${size} were listed`,
        { type: "changed" },
      );
    }
    if (Number(first) !== start || Number(last) !== end - 1) {
      throw failure(
        "it answers with another range than was asked for",
        { type: "whole" },
      );
    }
  } else {
    if (start !== 0 || end !== size) {
      throw failure("it gives whole files only", { type: "whole" });
    }
    const length = answer.headers.get("content-length");
    if (length !== null && Number(length) !== size) {
      throw failure(
        `it has ${length} bytes, ${size} were listed`,
        { type: "changed" },
      );
    }
  }
  return exactly(asked, answer.body, end - start);
}

/** `body`, which fails unless it has `length` bytes. */
function exactly(
  asked: Asked,
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  length: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = (body ?? new Blob([]).stream()).getReader();
  const failure = () =>
    new RemoteError(
      `Cannot ${asked.what}: the connection ended before all had come`,
      { type: "retry", retryAfterMs: undefined },
    );
  let left = length;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const part = await reader.read().catch((cause) => {
        // An abort of the reader's own passes as what it is.
        throw cause instanceof DOMException ? cause : failure();
      });
      if (part.done) {
        if (left > 0) throw failure();
        controller.close();
        return;
      }
      left -= part.value.byteLength;
      if (left < 0) {
        await reader.cancel();
        throw new RemoteError(
          `Cannot ${asked.what}: more came than was asked for`,
          { type: "elsewhere" },
        );
      }
      controller.enqueue(part.value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
