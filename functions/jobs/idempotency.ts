/**
 * `Idempotency-Key`: whoever asks again gets the first answer, also from a
 * server that was started since.
 *
 * ```text
 * same key, same request    the first answer; 409 while there is none
 * same key, other request   422
 * ```
 *
 * Only what succeeded is kept: what was refused can be mended and sent again
 * under its key. A stream is kept once it has ended well; one that its reader
 * leaves frees its key.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { readBytes } from "../body.ts";
import type { AppEnv } from "../context.ts";
import {
  IdempotencyConflictError,
  IdempotencyMismatchError,
  invalidField,
} from "../refusals.ts";
import type { StoredAnswer, StoredKey } from "./answer_store.ts";
import { keptHeaders } from "./job_end.ts";
import type { Jobs } from "./jobs.ts";
import { accepted } from "./preference.ts";

/** The longest stream that is kept, in bytes. */
const MAX_STREAM_BYTES = 2 ** 26;

/** Answers again what was answered. */
export function idempotency(
  { answers, store, now }: Pick<Jobs, "answers" | "store" | "now">,
  maxBytes: number,
): MiddlewareHandler<AppEnv> {
  /** Keys of requests at work. */
  const atWork = new Set<string>();
  return async (c, next) => {
    const header = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || header === undefined) return await next();
    const key = keyFrom(header);
    const { principal } = c.var;
    const bytes = await readBytes(c.req.raw, maxBytes, { empty: true });
    const fingerprint = await fingerprintOf(c.req.raw, bytes);
    c.req.raw = new Request(c.req.raw, { body: bytes });
    const known = answers.find(principal, key);
    const name = JSON.stringify([principal, key]);
    if (known !== undefined) {
      checkSame(known, fingerprint, atWork.has(name));
      // A server may have ended between keeping a job and telling of it.
      return replay(c, known.answer) ?? accepted(c, store.find(known.job!)!);
    }
    answers.take(principal, key, fingerprint, now());
    atWork.add(name);
    c.set("link", (job) => answers.link(principal, key, job));
    const keep = (answer: StoredAnswer | undefined) => {
      atWork.delete(name);
      if (answer === undefined) answers.free(principal, key);
      else answers.keep(principal, key, answer);
    };
    try {
      await next();
    } finally {
      await watch(c, keep);
    }
  };
}

/** A structured string (RFC 8941), or the same without its quotes. */
function keyFrom(header: string): string {
  const key = header.trim().replace(/^"(.*)"$/, "$1");
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw invalidField(
    "",
    "expected an Idempotency-Key of 1 to 255 printable ASCII characters",
  );
}

function checkSame(
  { fingerprint, job, answer }: StoredKey,
  asked: string,
  atWork: boolean,
): void {
  if (fingerprint !== asked) throw new IdempotencyMismatchError();
  if (atWork || (answer === undefined && job === undefined)) {
    throw new IdempotencyConflictError();
  }
}

/** Made by the context, which adds what every answer has. */
function replay(
  c: Context<AppEnv>,
  answer: StoredAnswer | undefined,
): Response | undefined {
  if (answer === undefined) return undefined;
  // Kept of an answer that had one.
  const status = answer.status as ContentfulStatusCode;
  const headers = { ...answer.headers, "idempotency-replayed": "true" };
  return c.body(answer.body, status, headers);
}

/** Sees to it that the answer is kept once it is whole, if it is a good one. */
async function watch(
  c: Context<AppEnv>,
  keep: (answer: StoredAnswer | undefined) => void,
): Promise<void> {
  const { res } = c;
  if (!res.ok || c.error !== undefined) return keep(undefined);
  const { status } = res;
  const headers = keptHeaders(res.headers);
  const { ended } = c.var;
  if (ended === undefined || res.body === null) {
    return keep({ status, headers, body: await res.clone().bytes() });
  }
  const { stream, whole } = recording(res.body);
  c.res = new Response(stream, res);
  ended.then(() => {
    const body = c.var.failed ? undefined : whole();
    keep(body && { status, headers, body });
  });
}

/** A stream that passes, and what has passed once it has ended by itself. */
function recording(source: ReadableStream<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly whole: () => Uint8Array<ArrayBuffer> | undefined;
} {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (part, controller) => {
        length += part.length;
        if (length <= MAX_STREAM_BYTES) parts.push(part);
        else parts.length = 0;
        controller.enqueue(part);
      },
    }),
  );
  const whole = () => {
    if (length > MAX_STREAM_BYTES) return undefined;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  };
  return { stream, whole };
}

/** What makes two requests the same. */
async function fingerprintOf(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const { pathname, search } = new URL(request.url);
  const type = request.headers.get("content-type") ?? "";
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  const headers = ["accept", "prefer", "x-grid-height", "x-grid-width"]
    .map((name) => request.headers.get(name) ?? "");
  const head = [pathname, search, type.replace(/;.*$/, ""), ...headers];
  // Clients draw a new boundary each time they send the same form.
  const body = boundary === undefined ? bytes : new TextEncoder().encode(
    new TextDecoder("latin1").decode(bytes).replaceAll(boundary, ""),
  );
  const hash = await crypto.subtle.digest(
    "SHA-256",
    await new Blob([JSON.stringify(head), "\n", body]).arrayBuffer(),
  );
  return new Uint8Array(hash).toHex();
}
