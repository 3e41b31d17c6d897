/**
 * Small plans that tests vary.
 *
 * @module
 */

import type { Scaling } from "../../deploy/plan/fleet.ts";
import type { EngineSize } from "../../deploy/plan/replica.ts";
import type { CostTable, StepCosts } from "../../deploy/plan/step_cost.ts";
import type { RequestClass } from "../../deploy/plan/workload.ts";

/** The same for every size. */
export function flat(milliseconds: number): CostTable {
  return [{ size: 1, milliseconds }, { size: 1024, milliseconds }];
}

/** Runs that take ten milliseconds, whatever they do. */
export const FLAT_COSTS: StepCosts = {
  step: flat(10),
  prefill: flat(10),
  wide: flat(10),
  heldTokenMs: 0,
};

/** An engine that little stands in the way of. */
export function engineOf(changes: Partial<EngineSize> = {}): EngineSize {
  return {
    slots: 8,
    queueLimit: 1_000_000,
    cacheTokens: 100_000,
    chunkTokens: 64,
    costs: FLAT_COSTS,
    ...changes,
  };
}

/** An answer of 99 runs after one for its prompt: a second, alone. */
export function answerOf(changes: Partial<RequestClass> = {}): RequestClass {
  return {
    name: "answer",
    prompts: [10],
    sharesLast: false,
    runs: 99,
    newTokens: 99,
    maxNewTokens: 99,
    tokensPerRun: 1,
    long: false,
    afterMs: 0,
    ...changes,
  };
}

/** So many servers, no more and no fewer. */
export function fixed(servers: number): Scaling {
  return {
    min: servers,
    max: servers,
    targetRequests: 1,
    downDelayMs: 0,
    coldStartMs: 0,
  };
}

/** A whole configuration, as JSON has it. */
// deno-lint-ignore no-explicit-any
export function planJson(): any {
  return {
    engine: {
      slots: 4,
      "queue_limit": 8,
      "cache_tokens": 2000,
      "chunk_tokens": 64,
      "step_ms": { "2": 10, "4": 12 },
      "prefill_ms": { "64": 30 },
    },
    classes: {
      picture: { height: 4, width: 4, guided: true, "prompt_tokens": 20 },
      answer: { "prompt_tokens": 50, "new_tokens": 10 },
    },
    requests: {
      "per_second": 2,
      seconds: 60,
      shares: { picture: 1, answer: 1 },
    },
    replicas: { min: 1, max: 1 },
  };
}
