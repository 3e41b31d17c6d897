/**
 * The suggestion of the nearest known name, for error messages.
 *
 * @module
 */

import { closest, distance } from "fastest-levenshtein";

/**
 * The maximum number of edits of a suggestion, absolute and relative to the
 * length of the name.
 */
const MAX_EDITS = 2;
const MAX_SHARE = 0.4;

/** Returns the known name nearest to `name`; undefined if none is near. */
export function nearestName(
  name: string,
  known: readonly string[],
): string | undefined {
  if (known.length === 0 || name === "") return undefined;
  const best = closest(name.toLowerCase(), [...known]);
  const edits = distance(name.toLowerCase(), best.toLowerCase());
  const limit = Math.max(MAX_EDITS, MAX_SHARE * name.length);
  return edits <= limit && edits < name.length ? best : undefined;
}

/** Returns ": did you mean …?", or an empty text without a suggestion. */
export function suggestion(
  name: string,
  known: readonly string[],
  prefix = "",
): string {
  const best = nearestName(name, known);
  return best === undefined ? "" : `: did you mean ${prefix}${best}?`;
}
