/**
 * The room that pictures take in a context.
 *
 * @module
 */

import { PromptTooLongError } from "./errors.ts";
import { gridLength, type GridSize } from "./grid.ts";

/**
 * Requires that a context holds the codes of pictures, whatever else it has to
 * hold: what is too long otherwise is no text.
 *
 * @param contextLength In tokens, as the checkpoint has it.
 * @throws {PromptTooLongError} Saying that the pictures are.
 */
export function requireRoomFor(
  grids: readonly GridSize[],
  contextLength: number,
): void {
  const tokens = grids.reduce((sum, grid) => sum + gridLength(grid), 0);
  if (tokens < contextLength) return;
  throw new PromptTooLongError(tokens, contextLength, tokens);
}
