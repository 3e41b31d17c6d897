/**
 * The page at `/`: files of `page/`, served as they are, each under `/page/`
 * and the path that it has there.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { etag } from "hono/etag";
import type { AppEnv } from "../http/context.ts";
import { sharedFile } from "../jobs/store/shared_file.ts";

const FOLDER = new URL("./", import.meta.url);

/** Files that stand elsewhere as well. */
const PLACES = [["/", "index.html"], ["/icon.svg", "icon.svg"]] as const;

/** Where the page is, beside the folder `/page/`. */
export const PAGE_PATHS: readonly string[] = PLACES.map(([path]) => path);

/** By the end of a name. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
]);

/** Names without a dot but that before their end: none of them climbs. */
const NAME = /^(?:[a-z0-9_]+\/)*[a-z0-9_]+\.([a-z]+)$/;

/** The routes, ready to mount. */
export function page(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const [path, name] of PLACES) {
    app.get(path, etag(), (c) => answer(c, name));
  }
  return app.get(
    "/page/*",
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

/** Undefined where there is no such file. */
async function contentOf(
  file: URL,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return await sharedFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
}
