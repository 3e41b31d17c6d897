/**
 * The authentication of callers by API keys, where keys are set.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { type ApiKey, findKey } from "./api_keys.ts";
import type { AppEnv } from "../http/context.ts";
import { isOpenPath } from "../http/address/open_paths.ts";
import { UnauthorizedError } from "../http/errors/errors.ts";

/** The principal of requests without a key. */
export const ANONYMOUS = "anonymous";

/**
 * The path to which Replicate's client sends no key: the id is as hard to
 * guess.
 */
const STREAM = /^(?:\/v1)?\/predictions\/job-[^/]+\/stream$/;

/** The authorization schemes; Replicate's older clients use `Token`. */
const SCHEME = /^(?:bearer|token) +([^\s]+) *$/i;

/** Returns middleware that requires one of `keys`, if there are any. */
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

/** Reports if this request needs no key. */
function isOpen(method: string, path: string): boolean {
  return isOpenPath(method, path) ||
    (method === "GET" || method === "HEAD") && STREAM.test(path);
}
