/**
 * The form of an answer to a message: events, or JSON for clients that do not
 * list events.
 *
 * The protocol requires clients to accept both, and its package refuses others;
 * many accept JSON alone, anything, or send no header.
 *
 * @module
 */

import { negotiate } from "../../http/accept.ts";

/** Media types of the forms, the one with progress first. */
const FORMS = ["text/event-stream", "application/json"] as const;

/** A form of answers. */
export type AnswerForm = typeof FORMS[number];

/**
 * Returns the form that `accept` prefers.
 *
 * @throws {NotAcceptableError} If it accepts neither.
 */
export function answerForm(accept: string | undefined): AnswerForm {
  const listed = /text\/event-stream/i.test(accept ?? "");
  return negotiate(
    accept?.trim() || undefined,
    listed ? FORMS : ["application/json"],
  );
}

/** Returns `request` in the form that the package accepts, without its body. */
export function asPackageTakes(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set("accept", FORMS.join(", "));
  const { url, method, signal } = request;
  return new Request(url, { method, headers, signal });
}
