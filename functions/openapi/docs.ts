/**
 * The page `/docs`: the reference, with forms to try it. Swagger UI over
 * `/openapi.json`, from its npm package: nothing is fetched from elsewhere.
 *
 * @module
 */

import { Hono, type MiddlewareHandler } from "hono";
import { createRequire } from "node:module";
import { openRoute } from "../http/address/open_routes.ts";
import type { AppEnv } from "../http/context.ts";
import { sharedFile } from "../jobs/store/shared_file.ts";

/** The files of this server, and their types. */
const OURS = [
  ["/docs", "docs.html", "text/html; charset=utf-8"],
  ["/docs/start.js", "docs.js", "text/javascript; charset=utf-8"],
  ["/docs/style.css", "docs.css", "text/css; charset=utf-8"],
] as const;

/** The files of the package. */
const THEIRS = [
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
] as const;

/** Returns the routes, ready to mount. */
export function docs(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const [path, name, type] of OURS) {
    const file = new URL(`../playground/${name}`, import.meta.url);
    app.get(path, openRoute, answer(() => file, type, "no-cache"));
  }
  const { resolve } = createRequire(import.meta.url);
  for (const [name, type] of THEIRS) {
    const file = () => resolve(`swagger-ui-dist/${name}`);
    app.get(`/docs/${name}`, openRoute, answer(file, type, "max-age=86400"));
  }
  return app;
}

/**
 * Returns a file's answer.
 *
 * @param file File, looked up on request so that nothing else depends on it.
 */
function answer(
  file: () => string | URL,
  type: string,
  cache: string,
): MiddlewareHandler<AppEnv> {
  return async (c) =>
    c.body(await sharedFile(file()), 200, {
      "content-type": type,
      "cache-control": cache,
    });
}
