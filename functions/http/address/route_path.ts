/**
 * The route path: the path of the request, corrected where clients join it to a
 * base URL in a common wrong way.
 *
 * ```text
 * //v1/models   /v1/models/   /v1/v1/models   ─▶   /v1/models
 * ```
 *
 * Only paths of programs are corrected. The answer to an unknown path suggests
 * the one that was probably meant.
 *
 * @module
 */

import { getPath } from "hono/utils/url";
import { suggestion } from "../../../lib/nearest_name.ts";

/** Beginnings of the paths that programs request. */
const OF_PROGRAMS = /^\/(v1|v2|mcp|predictions|models|files)(\/|$)/;

/** Maximum characters of a path that is compared with others. */
const MAX_COMPARED = 64;

/** Returns the path by which the route of `request` is found. */
export function routePath(request: Request): string {
  return canonicalPath(getPath(request));
}

/** Returns `path` as its route has it. */
export function canonicalPath(path: string): string {
  const plain = plainPath(path);
  return OF_PROGRAMS.test(plain) ? plain : path;
}

/**
 * Returns the message for a path that no route has.
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
  return `Cannot find path: there is none such${hint}`;
}

/** Removes empty segments, a slash at the end, and repeated /v1. */
function plainPath(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/(.)\/$/, "$1")
    .replace(/^(\/v1)+(?=\/v1(\/|$))/, "");
}
