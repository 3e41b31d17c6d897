/**
 * The hook on an engine's choices: runs a change during a request, at a fixed
 * step, independent of the speed of the machine.
 *
 * @module
 */

import type { Engine } from "../../lib/engine/engine.ts";
import type { EngineRequest } from "../../lib/engine/sequence.ts";

/**
 * Runs `change` before the policies of the next requests choose for the
 * `count`th time, all together; resolves once it has run.
 */
export function atChoice(
  engine: Pick<Engine, "run">,
  count: number,
  change: () => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const run = engine.run.bind(engine);
  let chosen = 0;
  const hooked = (request: EngineRequest, signal: AbortSignal) => {
    const { policy } = request;
    const choose = policy.choose.bind(policy);
    Object.assign(policy, {
      choose: (...given: Parameters<typeof choose>) => {
        if (++chosen === count) {
          Object.assign(engine, { run });
          Promise.try(change).then(resolve, reject);
        }
        return choose(...given);
      },
    });
    return run(request, signal);
  };
  Object.assign(engine, { run: hooked });
  return promise;
}
