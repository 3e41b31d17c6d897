/**
 * The fewest servers with which a target is met.
 *
 * @module
 */

import { analyze } from "./analysis.ts";
import type { PlanConfig, Target } from "./config.ts";
import { simulate } from "./fleet.ts";
import { summarize, type Summary } from "./summary.ts";

/** What was found. */
export interface Least {
  /** How many. */
  readonly replicas: number;
  /** What they do. */
  readonly summary: Summary;
}

/**
 * The fewest servers, always there, with which 95 of 100 requests are within
 * the target and none is sent away for good; undefined where `max` do not do.
 *
 * Fewer than paper asks for are not tried: they cannot keep up.
 */
export function leastReplicas(
  { engine, arrivals, scaling, retries, price }: PlanConfig,
  target: Target,
): Least | undefined {
  const { leastReplicas } = analyze(arrivals, engine, 1);
  for (let n = Math.min(leastReplicas, scaling.max); n <= scaling.max; n++) {
    const fixed = { ...scaling, min: n, max: n };
    const run = simulate(arrivals, {
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

/** Whether a target is met. */
export function isMet({ all }: Summary, { of, p95Ms }: Target): boolean {
  const { p95 } = of === "queue" ? all.queueMs : all.latencyMs;
  return all.done === all.requests && p95 <= p95Ms;
}
