/**
 * The `Idempotency-Key` middleware: a repeated request gets the first answer,
 * also from a server that was started since.
 *
 * ```text
 * same key, same request    the first answer; 409 while there is none
 * same key, other request   422
 * ```
 *
 * Only successful answers are stored: a refused request can be corrected and
 * sent again with its key. A stream is stored once it has ended successfully; a
 * canceled one frees its key.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { readBytes } from "../http/body.ts";
import type { AppEnv } from "../http/context.ts";
import {
  IdempotencyConflictError,
  IdempotencyMismatchError,
  invalidField,
} from "../http/errors/errors.ts";
import type { KeyUse, StoredAnswer, StoredKey } from "./store/answer_store.ts";
import { keptHeaders } from "./job_end.ts";
import type { Jobs } from "./jobs.ts";
import { accepted } from "./preference.ts";
import { requestFingerprint } from "./request_fingerprint.ts";

/** Maximum bytes of a stored stream. */
const MAX_STREAM_BYTES = 2 ** 24;

/** The operations of the store of first answers. */
export type FirstAnswers = Pick<
  Jobs,
  "answers" | "store" | "retentionNow" | "report" | "sweep" | "writable"
>;

/**
 * Called with the whole answer, or undefined for none to store; returns true if
 * it was stored.
 */
type Keep = (answer: StoredAnswer | undefined) => boolean;

/** Header of a first answer that could not be stored: the key is free. */
const KEPT = "idempotency-kept";

/** Returns the middleware that repeats first answers. */
export function idempotency(
  jobs: FirstAnswers,
  maxBytes: number,
): MiddlewareHandler<AppEnv> {
  /** Fingerprints of running requests. */
  const atWork = new Map<string, string>();
  return async (c, next) => {
    const header = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || header === undefined) return await next();
    const key = idempotencyKey(header);
    const principal = c.get("principal");
    const bytes = await readBytes(c.req.raw, maxBytes, {
      empty: true,
      encoded: true,
    });
    const fingerprint = await requestFingerprint(c.req.raw, bytes);
    const use: KeyUse = { principal, key, fingerprint };
    const name = JSON.stringify([principal, key]);
    const known = knownUse(jobs, use, atWork.get(name));
    if (known !== undefined) return replay(c, jobs, known);
    atWork.set(name, fingerprint);
    c.set("link", (job) => jobs.answers.link(use, job, jobs.retentionNow()));
    try {
      await next();
    } finally {
      await watch(c, (answer) => {
        atWork.delete(name);
        return keepFirst(jobs, use, answer);
      }, jobs.writable);
    }
  };
}

/**
 * Returns the known use of a key; undefined for a free one.
 *
 * @throws {IdempotencyMismatchError} If the key came with another request.
 * @throws {IdempotencyConflictError} If its request is still running.
 */
function knownUse(
  { answers }: FirstAnswers,
  { principal, key, fingerprint }: KeyUse,
  atWork: string | undefined,
): StoredKey | undefined {
  const known = answers.find(principal, key);
  if ((atWork ?? known?.fingerprint ?? fingerprint) !== fingerprint) {
    throw new IdempotencyMismatchError();
  }
  if (atWork !== undefined) throw new IdempotencyConflictError();
  return known;
}

function replay(
  c: Context<AppEnv>,
  { store }: FirstAnswers,
  { answer, job }: StoredKey,
): Response {
  c.header("idempotency-replayed", "true");
  // A server may have ended between storing a job and answering.
  if (answer === undefined) return accepted(c, store.find(job!)!);
  const { status, headers, body } = answer;
  // Only statuses that can be answered are stored.
  return c.body(body, status as ContentfulStatusCode, headers);
}

/**
 * Stores a first answer; it is sent even if it cannot be stored.
 *
 * @returns True if it was stored, or there was nothing to store.
 */
function keepFirst(
  { answers, retentionNow, report, sweep }: FirstAnswers,
  use: KeyUse,
  answer: StoredAnswer | undefined,
): boolean {
  let kept = false;
  report(() => {
    if (answer === undefined) answers.free(use.principal, use.key);
    else answers.keep(use, answer, retentionNow());
    kept = true;
  });
  if (kept && answer !== undefined) report(sweep);
  return kept;
}

/**
 * Parses the header: a structured string (RFC 8941), or the same without its
 * quotes.
 *
 * @throws {InvalidFieldsError} If it has another form.
 */
export function idempotencyKey(header: string): string {
  const key = header.trim().replace(/^"(.*)"$/, "$1");
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw invalidField(
    "",
    "expected an Idempotency-Key of 1 to 255 printable ASCII characters",
  );
}

/** Keeps the answer once it is whole, if it is successful. */
async function watch(
  c: Context<AppEnv>,
  keep: Keep,
  writable: boolean,
): Promise<void> {
  const { res } = c;
  if (!res.ok || c.error !== undefined) return void keep(undefined);
  const { status } = res;
  const headers = keptHeaders(res.headers);
  if (c.get("ended") === undefined || res.body === null) {
    const body = await res.clone().bytes();
    if (!keep({ status, headers, body })) c.res.headers.set(KEPT, "false");
    return;
  }
  const passing = recorded(res.body, (body) => {
    const good = c.get("failed") ? undefined : body;
    keep(good && { status, headers, body: good });
  });
  c.res = new Response(passing, res);
  // A header can only report failures that precede the end of the body.
  if (!writable) c.res.headers.set(KEPT, "false");
}

/**
 * Returns a stream that passes through, and its content once it has ended;
 * undefined if its reader disconnects or it is too long.
 */
function recorded(
  source: ReadableStream<Uint8Array>,
  onEnd: (whole: Uint8Array<ArrayBuffer> | undefined) => void,
): ReadableStream<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const recording: RecordingTransformer = {
    transform: (part, controller) => {
      length += part.length;
      if (length <= MAX_STREAM_BYTES) parts.push(new Uint8Array(part));
      else parts.length = 0;
      controller.enqueue(part);
    },
    // Stored before the reader receives the end, so that it may retry at once.
    flush: async () =>
      onEnd(
        length <= MAX_STREAM_BYTES ? await new Blob(parts).bytes() : undefined,
      ),
    cancel: () => onEnd(undefined),
  };
  return source.pipeThrough(new TransformStream(recording));
}

/** A transformer with `cancel`, which TypeScript's library lacks. */
interface RecordingTransformer extends Transformer<Uint8Array, Uint8Array> {
  readonly cancel: () => void;
}
