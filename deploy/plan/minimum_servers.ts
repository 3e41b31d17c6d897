/**
 * The search for the fewest servers that meet a target.
 *
 * @module
 */

import { analyze } from "./analysis.ts";
import type { PlanConfig, Target } from "./config.ts";
import { simulate } from "./fleet.ts";
import { summarize, type Summary } from "./summary.ts";

/** The result of the search. */
export interface Least {
  /** Number of servers. */
  readonly replicas: number;
  /** Summary of their simulation. */
  readonly summary: Summary;
}

/**
 * Returns the fewest servers, always running, with which 95 of 100 requests are
 * within the target and none is refused for good; undefined if `max` servers do
 * not suffice.
 *
 * Numbers below the analytic lower bound are not tried: they cannot keep up.
 */
export async function leastReplicas(
  { engine, arrivals, scaling, retries, price }: PlanConfig,
  target: Target,
): Promise<Least | undefined> {
  const { leastReplicas } = analyze(arrivals, engine, 1);
  for (let n = Math.min(leastReplicas, scaling.max); n <= scaling.max; n++) {
    const fixed = { ...scaling, min: n, max: n };
    const run = await simulate(arrivals, {
      engine,
      scaling: fixed,
      retries,
      promises: true,
    });
    const summary = summarize(run, price);
    if (isMet(summary, target)) return { replicas: n, summary };
  }
  return undefined;
}

/** Returns true if a target is met. */
export function isMet({ all }: Summary, { of, p95Ms }: Target): boolean {
  const { p95 } = of === "queue" ? all.queueMs : all.latencyMs;
  return all.done === all.requests && p95 <= p95Ms;
}
