/**
 * The submission: converts a request to a job.
 *
 * @module
 */

import { PER_CODE_HEADER } from "../http/raw_codes.ts";
import { isJson, mediaType, parseFields, readBytes } from "../http/body.ts";
import { parseJson, parseJsonText } from "../http/json.ts";
import * as v from "valibot";
import { canonicalPath } from "../http/address/route_path.ts";
import { Webhook } from "../schema/webhook.ts";
import type { JobRequest } from "./job.ts";

/** A request, and the receiver of its notifications. */
export interface Submission {
  /** Request of the job. */
  readonly request: JobRequest;
  /** Receiver of notifications. */
  readonly webhook: Webhook | undefined;
}

const WithWebhook = v.strictObject({ webhook: Webhook });

/** Headers that describe a body. The requested answer is set below. */
const KEPT = [
  "content-type",
  "x-grid-height",
  "x-grid-width",
  "x-grid-frames",
  PER_CODE_HEADER,
];

/**
 * Returns the request in a form that can be repeated.
 *
 * A job answers in the type that its client accepts; every job has a stream of
 * events, so an event stream becomes JSON.
 *
 * @throws {InvalidFieldsError} If its webhook is invalid.
 */
export async function submissionFrom(
  request: Request,
  maxBytes: number,
): Promise<Submission> {
  const bytes = await readBytes(request, maxBytes);
  const { body, webhook } = isJson(mediaType(request))
    ? await takeWebhook(bytes)
    : { body: bytes, webhook: undefined };
  return { request: jobRequest(request, body), webhook };
}

/** Returns a running request in the form of a job, without streams. */
export function repeatable(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
): JobRequest {
  return jobRequest(
    request,
    isJson(mediaType(request)) ? unstreamed(body) : body,
  );
}

function jobRequest(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
): JobRequest {
  const url = new URL(request.url);
  const headers: Record<string, string> = { accept: acceptOf(request) };
  for (const name of KEPT) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const path = `${canonicalPath(url.pathname)}${url.search}`;
  return { path, headers, body };
}

/** Fields by which OpenAI's clients request a stream. */
const STREAMED: ReadonlySet<string> = new Set([
  "stream",
  "stream_options",
  "partial_images",
]);

function unstreamed(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (body.length === 0) return body;
  const decoded = new TextDecoder().decode(body);
  const fields = Object.entries(Object(parseJsonText(decoded)));
  const kept = fields.filter(([name]) => !STREAMED.has(name));
  if (kept.length === fields.length) return body;
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(kept)));
}

function acceptOf(request: Request): string {
  const accept = request.headers.get("accept") ?? "*/*";
  const others = accept.split(",")
    .filter((type) => !/^\s*text\/event-stream\b/i.test(type));
  return others.length > 0 ? others.join(",") : "application/json";
}

/** Removes the webhook fields, which handlers do not accept. */
async function takeWebhook(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ body: Uint8Array<ArrayBuffer>; webhook: Webhook | undefined }> {
  const value = await parseJson(bytes);
  if (typeof value !== "object" || value === null || !("webhook" in value)) {
    return { body: bytes, webhook: undefined };
  }
  const { webhook: field, ...rest } = value;
  const { webhook } = parseFields(WithWebhook, { webhook: field });
  const body = new TextEncoder().encode(JSON.stringify(rest));
  return { body, webhook };
}
