/**
 * The route path: the path of the request, corrected where clients join it to a
 * base URL in a common wrong way.
 *
 * ```text
 * //v1/models   /v1/models/   /v1/v1/models   ─▶   /v1/models
 * ```
 *
 * Only API paths are corrected. The error of an unknown path suggests the most
 * similar one. Paths also separate work, which is counted, limited and refused,
 * from reads and cancellations.
 *
 * @module
 */

import { getPath } from "hono/utils/url";
import { suggestion } from "../../../lib/nearest_name.ts";

/** Paths of liveness and readiness. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set([
  "/livez",
  "/readyz",
  "/ping",
  "/health",
  "/health-check",
  "/v2/health/live",
  "/v2/health/ready",
]);

/** Prefixes of API paths. */
const API_PATH = /^\/(v1|v2|mcp|predictions|models|files)(\/|$)/;

/** Maximum characters of a path that is quoted. */
const MAX_SHOWN = 256;

/** Maximum characters of a path that is compared with others. */
const MAX_COMPARED = 64;

/** Returns the path by which the route of `request` is found. */
export function routePath(request: Request): string {
  return canonicalPath(getPath(request));
}

/** Returns `path` in the form of its route. */
export function canonicalPath(path: string): string {
  const plain = plainPath(path);
  return API_PATH.test(plain) ? plain : path;
}

/**
 * Returns the message for a path that matches no route.
 *
 * @param known Paths of all routes.
 */
export function unknownPath(path: string, known: readonly string[]): string {
  const fixed = [...new Set(known.filter((path) => !/[:*]/.test(path)))];
  const plain = plainPath(path);
  const last = plain.slice(plain.lastIndexOf("/"));
  const meant = [plain, `/v1${plain}`].find((path) => fixed.includes(path)) ??
    fixed.find((path) => last.length > 1 && path.endsWith(last));
  const hint = meant !== undefined
    ? `: did you mean ${meant}?`
    : plain.length > MAX_COMPARED
    ? ""
    : suggestion(plain, fixed);
  const shown = path.slice(0, MAX_SHOWN);
  return `No route matches ${shown}${hint === "" ? "; see /docs" : hint}`;
}

/** Removes empty segments, a slash at the end, and repeated /v1. */
function plainPath(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/(.)\/$/, "$1")
    .replace(/^(\/v1)+(?=\/v1(\/|$))/, "");
}

/** Path that cancels a prediction; `PUT` would create one of that name. */
const CANCEL = /^(?:\/v1)?\/predictions\/[^/]+\/cancel$/;

/** Returns true if a request may run a model or store data. */
export function doesWork(method: string, path: string): boolean {
  if (method === "POST") return !CANCEL.test(path);
  return method === "PUT";
}
