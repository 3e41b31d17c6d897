/**
 * The summary of a simulated fleet, in a few numbers.
 *
 * @module
 */

import type { Price } from "./config.ts";
import type { FleetRun, Outcome } from "./fleet.ts";

/** Quantiles of a duration, in milliseconds. */
export interface Quantiles {
  /** Median. */
  readonly p50: number;
  /** 95th percentile. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
}

/** The summary of the requests of a class, or of all. */
export interface ClassSummary {
  /** Requests that arrived. */
  readonly requests: number;
  /** Requests that were done. */
  readonly done: number;
  /** Refusals of its requests. */
  readonly refusals: number;
  /** Time from arrival to slots. */
  readonly queueMs: Quantiles;
  /** Time from arrival to the first token. */
  readonly firstMs: Quantiles;
  /** Time from arrival to the whole response. */
  readonly latencyMs: Quantiles;
}

/** The summary of a simulation. */
export interface Summary {
  /** Summary of all requests. */
  readonly all: ClassSummary;
  /** Summary of each class. */
  readonly classes: ReadonlyMap<string, ClassSummary>;
  /** Requests done per second. */
  readonly perSecond: number;
  /** Fraction of the servers' time in which they ran. */
  readonly utilization: number;
  /** Time of all servers, in seconds. */
  readonly replicaSeconds: number;
  /** Maximum number of servers at once. */
  readonly mostReplicas: number;
  /** Servers that were started during the simulation. */
  readonly coldStarts: number;
  /**
   * Cost in total, and per completed request; undefined if no price is known.
   */
  readonly cost: { readonly total: number; readonly each: number } | undefined;
}

/** Summarizes a run. */
export function summarize(run: FleetRun, price: Price | undefined): Summary {
  const { outcomes, endMs, replicaMs, busyMs } = run;
  const all = classSummary(outcomes);
  const byClass = Map.groupBy(outcomes, ({ kind }) => kind.name);
  const replicaSeconds = replicaMs / 1000;
  const total = price && price.perGpuSecond * price.gpus * replicaSeconds;
  return {
    all,
    classes: new Map(
      [...byClass].map(([name, group]) => [name, classSummary(group)]),
    ),
    perSecond: all.done / Math.max(1e-9, endMs / 1000),
    utilization: busyMs / Math.max(1e-9, replicaMs),
    replicaSeconds,
    mostReplicas: run.mostReplicas,
    coldStarts: run.coldStarts,
    cost: total === undefined
      ? undefined
      : { total, each: total / Math.max(1, all.done) },
  };
}

/** Returns quantiles of `values` by the nearest rank. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) =>
    sorted[Math.max(0, Math.ceil(percent * sorted.length / 100) - 1)] ?? 0;
  return { p50: at(50), p95: at(95), p99: at(99) };
}

function classSummary(outcomes: readonly Outcome[]): ClassSummary {
  const done = outcomes.flatMap(({ atMs, ran }) =>
    ran === undefined ? [] : [{ atMs, ...ran }]
  );
  const since = (of: (one: typeof done[number]) => number) =>
    quantiles(done.map((one) => of(one) - one.atMs));
  return {
    requests: outcomes.length,
    done: done.length,
    refusals: outcomes.reduce((sum, { refusals }) => sum + refusals, 0),
    queueMs: since(({ startedAt }) => startedAt),
    firstMs: since(({ firstAt }) => firstAt),
    latencyMs: since(({ finishedAt, kind }) => finishedAt + kind.afterMs),
  };
}
