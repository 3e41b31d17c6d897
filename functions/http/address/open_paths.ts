/**
 * The open paths: readable without a key, since they run no model and show
 * nothing of other callers, except a picture to clients that have its name.
 *
 * @module
 */

import { PAGE_PATHS } from "../../playground/page.ts";

/** Paths that report if the server lives and is ready. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set([
  "/livez",
  "/readyz",
  "/ping",
  "/health",
  "/health-check",
  "/v2/health/live",
  "/v2/health/ready",
]);

const PATHS: ReadonlySet<string> = new Set([
  ...PAGE_PATHS,
  ...HEALTH_PATHS,
  "/docs",
  "/openapi.json",
  "/problems",
]);
/** Folders of open paths; the name of a picture is as hard to guess as a key. */
const FOLDERS = ["/docs/", "/page/", "/problems/", "/v1/pictures/"];

/** Reports if this request needs no key. */
export function isOpenPath(method: string, path: string): boolean {
  return (method === "GET" || method === "HEAD") &&
    (PATHS.has(path) ||
      FOLDERS.some((folder) => path.startsWith(folder)));
}
