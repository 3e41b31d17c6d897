/**
 * The paths that anybody may read: they run no model and show nothing of what
 * others did.
 *
 * @module
 */

import { PAGE_PATHS } from "./page.ts";

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
const FOLDERS = ["/docs/", "/page/", "/problems/"];

/** Reports if anybody may send this request. */
export function isOpenPath(method: string, path: string): boolean {
  return (method === "GET" || method === "HEAD") &&
    (PATHS.has(path) || FOLDERS.some((folder) => path.startsWith(folder)));
}
