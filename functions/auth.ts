/**
 * Who calls: by the key that a request shows, where keys are set.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { type ApiKey, findKey } from "./api_keys.ts";
import type { AppEnv } from "./context.ts";
import { PAGE_PATHS } from "./page.ts";
import { UnauthorizedError } from "./refusals.ts";

/** Who calls where no keys are set, or none is asked for. */
export const ANONYMOUS = "anonymous";

/**
 * What is told to anybody: whether it lives, how it is used and what its errors
 * mean. Nothing of it runs a model or shows what others did.
 */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  ...PAGE_PATHS,
  "/livez",
  "/readyz",
  "/ping",
  "/health",
  "/health-check",
  "/v2/health/live",
  "/v2/health/ready",
  "/docs",
  "/openapi.json",
  "/problems",
]);
const OPEN_FOLDERS = ["/docs/", "/page/", "/problems/"];

/** Replicate's client sends no key there: the name is as hard to guess as one. */
const STREAM = /^(?:\/v1)?\/predictions\/job-[^/]+\/stream$/;

/** `Token` is how Replicate's older clients say it. */
const SCHEME = /^(?:bearer|token) +([^\s]+) *$/i;

/** Asks for one of `keys`; without keys everybody is let in. */
export function authenticate(
  keys: readonly ApiKey[],
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("principal", ANONYMOUS);
    const header = c.req.header("authorization");
    const shown = SCHEME.exec(header ?? "")?.[1];
    const key = shown === undefined ? undefined : findKey(keys, shown);
    if (key !== undefined) c.set("principal", key.name);
    else if (keys.length > 0 && !isOpen(c.req.method, c.req.path)) {
      throw new UnauthorizedError(header !== undefined);
    }
    await next();
  };
}

/** Whether what is read there is for everybody. */
function isOpen(method: string, path: string): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return OPEN_PATHS.has(path) ||
    OPEN_FOLDERS.some((folder) => path.startsWith(folder)) ||
    STREAM.test(path);
}
