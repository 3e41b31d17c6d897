/**
 * Engines that have nothing to do.
 *
 * @module
 */

import type { Engine } from "../../lib/engine/engine.ts";

/** Between two looks. */
const PAUSE_MS = 10;

/** Comes when `engine` has nothing to do; fails when that takes `seconds`. */
export async function idleEngine(
  engine: Pick<Engine, "state">,
  seconds = 5,
): Promise<void> {
  for (let waited = 0; waited < 1000 * seconds; waited += PAUSE_MS) {
    if (engine.state.running + engine.state.waiting === 0) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error("the engine still runs");
}
