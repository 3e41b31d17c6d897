/**
 * The check that every refusal is a valid problem.
 *
 * @module
 */

import { match, ok, strictEqual } from "node:assert/strict";

/** Statuses that are documented. */
const DECLARED: ReadonlySet<number> = new Set([
  400,
  401,
  403,
  404,
  405,
  406,
  409,
  413,
  415,
  422,
  429,
  503,
  504,
]);

/** Fails unless `response` succeeded or is a valid problem. */
export async function assertAnswered(response: Response): Promise<void> {
  const body = await response.bytes();
  if (response.status < 400) return;
  ok(DECLARED.has(response.status), `status ${response.status}`);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  const problem = JSON.parse(text);
  // KServe's clients expect their own shape.
  if (typeof problem.error === "string") {
    match(problem.error, /^Cannot /);
    return;
  }
  strictEqual(
    response.headers.get("content-type"),
    "application/problem+json",
  );
  strictEqual(problem.status, response.status);
  match(problem.detail, /^Cannot /);
  match(problem.type, /\S/);
  match(problem.title, /\S/);
  match(problem.request_id, /\S/);
  strictEqual(problem.error.message, problem.detail);
  strictEqual(typeof problem.retryable, "boolean");
  for (const { pointer, detail } of problem.errors ?? []) {
    match(pointer, /^(\/|$)/);
    match(detail, /\S/);
  }
  const busy = response.status === 503 && problem.retryable;
  if (busy) match(response.headers.get("retry-after") ?? "", /^\d+$/);
}
