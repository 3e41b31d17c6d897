/**
 * The check that pictures fit into a context.
 *
 * @module
 */

import { PromptTooLongError } from "./errors.ts";
import { gridLength, type GridSize } from "./grid.ts";

/**
 * Requires that a context holds the codes of pictures, whatever else it has to
 * hold: if it does not, no shorter text would help.
 *
 * @param contextLength Context length of the checkpoint, in tokens.
 * @throws {PromptTooLongError} If the pictures do not fit.
 */
export function requireRoomFor(
  grids: readonly GridSize[],
  contextLength: number,
): void {
  const tokens = grids.reduce((sum, grid) => sum + gridLength(grid), 0);
  if (tokens < contextLength) return;
  throw new PromptTooLongError(tokens, contextLength, tokens);
}
