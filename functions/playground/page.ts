/**
 * The playground at `/`: static files of this folder, each under `/page/` and
 * its relative path.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { etag } from "hono/etag";
import { openRoute } from "../http/address/open_routes.ts";
import type { AppEnv } from "../http/context.ts";
import { sharedFile } from "../jobs/store/shared_file.ts";

const FOLDER = new URL("./", import.meta.url);

/** Files that have a second path. */
const PLACES = [["/", "index.html"], ["/icon.svg", "icon.svg"]] as const;

/** Media types by file extension. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
]);

/** Names with a single dot, before the extension, which rules out `..`. */
const NAME = /^(?:[a-z0-9_]+\/)*[a-z0-9_]+\.([a-z]+)$/;

/** Creates the routes of the page. */
export function page(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const [path, name] of PLACES) {
    app.get(path, openRoute, etag(), (c) => answer(c, name));
  }
  return app.get(
    "/page/*",
    openRoute,
    etag(),
    (c) => answer(c, c.req.path.slice("/page/".length)),
  );
}

async function answer(c: Context<AppEnv>, name: string): Promise<Response> {
  const type = TYPES.get(NAME.exec(name)?.[1] ?? "");
  const bytes = type && await contentOf(new URL(name, FOLDER));
  if (!bytes) return await c.notFound();
  return c.body(bytes, 200, {
    "content-type": type,
    "cache-control": "no-cache",
  });
}

/** Returns the content of a file, or undefined if there is none. */
async function contentOf(
  file: URL,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return await sharedFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
}
