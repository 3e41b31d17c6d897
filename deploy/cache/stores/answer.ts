/**
 * The responses of a store, turned into errors with remedies.
 *
 * Remedies follow the HTTP status, as for any response; error codes of stores
 * refine them. Messages name the place and the file, never a query, a header or
 * a key.
 *
 * @module
 */

import { checkRange, otherContent, remedyOf } from "../net/http_answers.ts";
import { type ByteRange, type Remedy, RemoteError } from "../net/remote.ts";

/** Description of a request, for messages. */
export interface RequestContext {
  /** Action, such as `read "model.safetensors" of s3://bucket/prefix`. */
  readonly what: string;
  /** Advice for refused access. */
  readonly access: string;
}

/** Codes of transient errors: S3 sends some of them with a status of 400. */
const TRANSIENT = new Set([
  "SlowDown",
  "RequestTimeout",
  "InternalError",
  "ServiceUnavailable",
  "ThrottlingException",
  "OperationAborted",
]);

/** Returns the error for an unsuccessful response. */
export function refusal(
  context: RequestContext,
  { status, headers }: Pick<Response, "status" | "headers">,
  code?: string,
): RemoteError {
  const reply = code === undefined ? `${status}` : `${status} ${code}`;
  const failure = (reason: string, remedy: Remedy) =>
    new RemoteError(`Cannot ${context.what}: ${reason}`, remedy);
  const transient = code !== undefined && TRANSIENT.has(code);
  // Some transient errors have a status of 400.
  const remedy = remedyOf(
    { status: transient ? 503 : status, headers },
    Date.now(),
  );
  if (transient || remedy.type === "retry" || status >= 500) {
    return failure(`it answers ${reply} for now; try again later`, remedy);
  }
  if (remedy.type === "changed") {
    return failure(
      `it answers ${reply}: the file was changed since it was listed`,
      remedy,
    );
  }
  if (status === 404 || status === 410) {
    return failure(
      `it answers ${reply}: it was not found; check the name`,
      { type: "elsewhere" },
    );
  }
  if (status === 401 || status === 403 || code?.startsWith("Expired")) {
    return failure(
      `it answers ${reply}: access is denied; ${context.access}`,
      { type: "elsewhere" },
    );
  }
  return failure(
    `it answers ${reply}, which is unexpected; check the address`,
    { type: "elsewhere" },
  );
}

/** Maximum objects of a list; no checkpoint has as many files. */
const MAX_OBJECTS = 10_000;

/**
 * Maximum pages of a list; a page has a thousand objects, or few if many are
 * hidden.
 */
const MAX_PAGES = 1_000;

/** The pages of a list, checked for an end. */
export class Pages {
  readonly #what: string;
  readonly #seen = new Set<string>();

  /** Creates a counter for the list that `what` names. */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Records the token of the next page.
   *
   * @throws {RemoteError} When an earlier page had the same token, or there are
   * too many pages.
   */
  next(token: string): string {
    const again = this.#seen.has(token);
    if (!again && this.#seen.size < MAX_PAGES) {
      this.#seen.add(token);
      return token;
    }
    throw new RemoteError(
      `Cannot ${this.#what}: ${
        again
          ? "the list repeats a page"
          : `the list has over ${MAX_PAGES} pages`
      }; check the endpoint and the prefix`,
      { type: "elsewhere" },
    );
  }
}

/**
 * Rejects a prefix with too many objects: it is a whole bucket, not a
 * checkpoint.
 */
export function refuseCrowd(
  { length }: readonly unknown[],
  place: string,
): void {
  if (length <= MAX_OBJECTS) return;
  throw new RemoteError(
    `Cannot list ${place}: it has over ${MAX_OBJECTS} objects; name the prefix of one checkpoint`,
    { type: "elsewhere" },
  );
}

/** Rejects a response of another version: some servers ignore conditions. */
export async function refuseOtherVersion(
  context: RequestContext,
  answer: Response,
  versions: {
    readonly wanted: string | undefined;
    readonly seen: string | undefined;
  },
): Promise<void> {
  const { wanted, seen } = versions;
  if (wanted === undefined || seen === undefined || wanted === seen) return;
  await answer.body?.cancel();
  throw otherContent(context.what, "it is of another version");
}

/**
 * Returns the error for a request without a response; an abort is returned
 * unchanged.
 */
export function unanswered(
  context: RequestContext,
  cause: unknown,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return signal.reason;
  if (cause instanceof TypeError && /redirect/i.test(cause.message)) {
    return new RemoteError(
      `Cannot ${context.what}: it redirects in a loop or to an invalid URL; check the address`,
      { type: "elsewhere" },
      { cause: cause.name },
    );
  }
  return new RemoteError(
    `Cannot ${context.what}: the connection failed; check the network`,
    { type: "retry", retryAfterMs: undefined },
    // The message of the cause may hold the URL, and with it a signature.
    { cause: cause instanceof Error ? cause.name : typeof cause },
  );
}

/**
 * Returns the body of a response to a range of a file of `size` bytes.
 *
 * @throws {RemoteError} When it holds other bytes, or another file.
 */
export async function rangeBody(
  { what }: RequestContext,
  answer: Response,
  range: ByteRange,
  size: number,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  try {
    checkRange(answer, range, size, what);
  } catch (error) {
    await answer.body?.cancel();
    throw error;
  }
  return answer.body ?? new Blob([]).stream();
}
