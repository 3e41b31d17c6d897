/**
 * What a store's answer means for whoever asked, in words.
 *
 * What can be done about it is what it is for any answer over HTTP; stores say
 * more by codes of their own. Messages name the place and the file, never a
 * query, a header or a key.
 *
 * @module
 */

import { checkRange, otherContent, remedyOf } from "../net/http_answers.ts";
import { type ByteRange, type Remedy, RemoteError } from "../net/remote.ts";

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
  // Some say under 400 what passes.
  const remedy = remedyOf(
    { status: passing ? 503 : status, headers },
    Date.now(),
  );
  if (passing || remedy.type === "retry" || status >= 500) {
    return failure(`it answers ${says} for now, try again later`, remedy);
  }
  if (remedy.type === "changed") {
    return failure(
      `it answers ${says}: the file was changed since it was listed`,
      remedy,
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

/** Objects that are listed at most; no checkpoint has so many files. */
const MAX_OBJECTS = 10_000;

/** Pages of a list; one has a thousand objects, or few where many are hidden. */
const MAX_PAGES = 1_000;

/** Pages of a list, whose end a place must come to. */
export class Pages {
  readonly #what: string;
  readonly #seen = new Set<string>();

  /** None yet of the list that `what` says. */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Notes where the next page begins.
   *
   * @throws {RemoteError} When that was the place of an earlier one, or there
   * are too many.
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
          ? "the list leads back to a page that it had"
          : `the list has over ${MAX_PAGES} pages`
      }, check the endpoint and the prefix`,
      { type: "elsewhere" },
    );
  }
}

/** A prefix of a whole bucket is none of a checkpoint. */
export function refuseCrowd(
  { length }: readonly unknown[],
  place: string,
): void {
  if (length <= MAX_OBJECTS) return;
  throw new RemoteError(
    `Cannot list ${place}: it has over ${MAX_OBJECTS} objects, name the prefix of one checkpoint`,
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
  throw otherContent(asked.what, "it is of another version");
}

/** The error that a request without an answer is; an abort stays itself. */
export function unanswered(
  asked: Asked,
  cause: unknown,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return signal.reason;
  if (cause instanceof TypeError && /redirect/i.test(cause.message)) {
    return new RemoteError(
      `Cannot ${asked.what}: it redirects in a circle or to no URL, check the address`,
      { type: "elsewhere" },
      { cause: cause.name },
    );
  }
  return new RemoteError(
    `Cannot ${asked.what}: the connection failed, check the network`,
    { type: "retry", retryAfterMs: undefined },
    // Its message may hold the URL, and with it a signature.
    { cause: cause instanceof Error ? cause.name : typeof cause },
  );
}

/**
 * The body of an answer to a range of a file of `size` bytes.
 *
 * @throws {RemoteError} When it is about other bytes, or about another file.
 */
export async function rangeBody(
  { what }: Asked,
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
