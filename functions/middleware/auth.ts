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

/** The principal where no keys are set, or none is asked for. */
export const ANONYMOUS = "anonymous";

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

/** Reports if this request needs no key. */
function isOpen(method: string, path: string): boolean {
  return isOpenPath(method, path) ||
    (method === "GET" || method === "HEAD") && STREAM.test(path);
}
