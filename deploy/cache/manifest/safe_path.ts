/**
 * The checks of untrusted paths that become names of files here.
 *
 * @module
 */

import { quoteText } from "../../../lib/escaped_text.ts";
import { ManifestError } from "./manifest_fields.ts";

const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 32;

/**
 * Returns true if `path` stays within its folder on every system: relative,
 * with `/`, without `..`, hidden drives, streams or control characters.
 */
export function isSafePath(path: string): boolean {
  if (path.length > MAX_PATH_BYTES) return false;
  const bytes = (part: string) => new TextEncoder().encode(part).length;
  const names = path.split("/");
  return bytes(path) <= MAX_PATH_BYTES && path.isWellFormed() &&
    names.length <= MAX_DEPTH && !/[\p{Cc}\p{Cf}\\:*?"<>|]/u.test(path) &&
    names.every((name) =>
      name !== "" && !/^\.+$/.test(name) && !/[. ]$/.test(name) &&
      bytes(name) <= MAX_NAME_BYTES
    );
}

/**
 * Rejects paths that cannot all be files of one folder.
 *
 * @throws {ManifestError} When two paths are equal on a file system that
 * ignores case, or one would be the folder of another.
 */
export function refuseClashes(paths: readonly string[]): void {
  const taken = new Map(paths.map((path) => [folded(path), path]));
  for (const path of paths) {
    const other = taken.get(folded(path));
    if (other !== path) throw clash(path, other);
    const names = path.split("/");
    for (let count = 1; count < names.length; count++) {
      const parent = taken.get(folded(names.slice(0, count).join("/")));
      if (parent !== undefined) throw clash(path, parent);
    }
  }
  if (taken.size < paths.length) {
    const seen = new Set<string>();
    const twice = paths.find((path) => seen.size === seen.add(path).size);
    throw clash(twice, twice);
  }
}

function folded(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function clash(a: string | undefined, b: string | undefined): ManifestError {
  return new ManifestError(
    `paths ${quoteText(a ?? "")} and ${
      quoteText(b ?? "")
    } cannot both be files`,
  );
}
