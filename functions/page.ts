/**
 * The page at `/`: files of `page/`, served as they are.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "./context.ts";

/** Paths, files and their types. */
const FILES = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/api.js", "api.js", "text/javascript; charset=utf-8"],
  ["/icon.svg", "icon.svg", "image/svg+xml"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
] as const;

/** Where the page and its files are. */
export const PAGE_PATHS: readonly string[] = FILES.map(([path]) => path);

/** The routes, ready to mount. */
export function page(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const [path, name, type] of FILES) {
    const file = new URL(`./page/${name}`, import.meta.url);
    app.get(path, async (c) =>
      c.body(await Deno.readFile(file), 200, {
        "content-type": type,
        "cache-control": "no-cache",
      }));
  }
  return app;
}
