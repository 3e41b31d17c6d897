/**
 * The wait for an idle engine.
 *
 * @module
 */

import type { Engine } from "../../lib/engine/engine.ts";
import { until } from "./until.ts";

/** Resolves when `engine` is idle; rejects after a limit. */
export async function idleEngine(
  engine: Pick<Engine, "state">,
): Promise<void> {
  await until(() => engine.state.running + engine.state.waiting === 0);
}
