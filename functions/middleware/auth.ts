/**
 * The authentication of callers by API keys, where keys are set.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { type ApiKey, findKey } from "./api_keys.ts";
import type { AppEnv } from "../http/context.ts";
import { needsNoKey } from "../http/address/open_routes.ts";
import { UnauthorizedError } from "../http/errors/errors.ts";

/** The principal of requests without a key. */
export const ANONYMOUS = "anonymous";

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
    else if (keys.length > 0 && !needsNoKey(c)) {
      throw new UnauthorizedError(header !== undefined);
    }
    await next();
  };
}
