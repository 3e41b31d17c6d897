/**
 * The small deployment plans that tests vary.
 *
 * @module
 */

import type { Scaling } from "../../deploy/plan/fleet.ts";
import type { EngineSize } from "../../deploy/plan/virtual_decoder.ts";
import type { CostTable, StepCosts } from "../../deploy/plan/step_cost.ts";
import type { RequestClass } from "../../deploy/plan/workload.ts";

/** Returns a table of the same cost for every size. */
export function flat(milliseconds: number): CostTable {
  return [{ size: 1, milliseconds }, { size: 1024, milliseconds }];
}

/** Costs of ten milliseconds for every run. */
export const FLAT_COSTS: StepCosts = {
  step: flat(10),
  prefill: flat(10),
  wide: flat(10),
  heldTokenMs: 0,
};

/** Creates an engine with generous limits. */
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

/** Creates an answer of 99 runs after one for its prompt: a second, alone. */
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

/** Returns a scaling with a fixed count of servers. */
export function fixed(servers: number): Scaling {
  return {
    min: servers,
    max: servers,
    targetRequests: 1,
    downDelayMs: 0,
    coldStartMs: 0,
  };
}

/** Returns a complete configuration in JSON. */
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
