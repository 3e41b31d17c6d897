/**
 * Absolute URLs of this server, as its clients write them.
 *
 * @module
 */

import type { Context } from "hono";
import type { AppEnv } from "./context.ts";

/**
 * The URL of `path` for whoever asked.
 *
 * @param path From the root, with its slash.
 */
export function publicUrl(c: Context<AppEnv>, path: string): string {
  return `${new URL(c.req.url).origin}${path}`;
}
