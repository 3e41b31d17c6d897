/**
 * The wait for an idle engine.
 *
 * @module
 */

import type { Engine } from "../../lib/engine/engine.ts";

/** Polling interval. */
const PAUSE_MS = 10;

/** Resolves when `engine` is idle; rejects after `seconds`. */
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
