/**
 * The reservation of a request, and the check that it fits into an empty cache.
 *
 * @module
 */

import { CacheTooSmallError, PromptTooLongError } from "../errors.ts";
import type { Reservation } from "./admission.ts";
import type { CacheBudget } from "./cache_budget.ts";
import type { EngineRequest } from "./sequence.ts";

/**
 * Returns the reservation of a request, after checking that it fits when
 * nothing else runs.
 *
 * @param contextLength Number of tokens that one row may have.
 * @throws {PromptTooLongError} If a row does not fit into the context.
 * @throws {CacheTooSmallError} If the rows do not fit into the memory.
 */
export function reservationOf(
  { prompts, maxNewTokens, long, group }: EngineRequest,
  contextLength: number,
  budget: CacheBudget,
): Reservation {
  const rows = prompts.map(({ tokens }) => tokens.length + maxNewTokens);
  const longest = Math.max(...rows);
  // If the context is as long as the memory, the memory is the limit to report.
  if (longest > contextLength && contextLength < budget.tokens) {
    throw new PromptTooLongError(longest, contextLength);
  }
  if (rows.length > budget.slots) {
    throw new RangeError(
      `Cannot run ${rows.length} rows: the engine has ${budget.slots} slots; increase SLOTS`,
    );
  }
  if (longest > contextLength || !budget.fitsAlone(rows)) {
    const needed = rows.reduce((sum, row) => sum + row, 0);
    throw new CacheTooSmallError(needed, budget.tokens);
  }
  return { rows, long, group: group ?? Symbol() };
}
