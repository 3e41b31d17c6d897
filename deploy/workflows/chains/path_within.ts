/**
 * The paths of an input: under the folder of data, also where links lead.
 *
 * @module
 */

import { dirname, isAbsolute, join, normalize, relative } from "node:path";
import { RefusedError } from "../emu3/emu3_errors.ts";

/**
 * Returns the path of `name` under `root`; it need not exist.
 *
 * @param root Real path of the folder.
 * @param field Field of the input that holds the name.
 * @throws {RefusedError} If it lies elsewhere.
 */
export async function pathWithin(
  root: string,
  name: string,
  field: string,
): Promise<string> {
  const path = join(root, normalize(name));
  const inside = !isAbsolute(name) && !name.includes("\0") &&
    isWithin(root, path) && isWithin(root, await realPath(path));
  if (inside) return path;
  throw new RefusedError(422, {
    status: 422,
    title: "Invalid fields",
    detail:
      `/${field}: "${name}" leads out of the folder of data (WORKFLOWS_DATA)`,
  });
}

/** Returns the real path of the part of `path` that exists. */
async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // A link that leads nowhere would be followed by what creates the path.
    const link = await Deno.readLink(path).catch(() => undefined);
    return await realPath(
      link === undefined ? dirname(path) : joined(path, link),
    );
  }
}

function joined(path: string, link: string): string {
  return isAbsolute(link) ? link : join(dirname(path), link);
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}
