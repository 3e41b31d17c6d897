/**
 * What a simulated fleet did, in a few numbers.
 *
 * @module
 */

import type { Price } from "./config.ts";
import type { FleetRun, Outcome } from "./fleet.ts";

/** The middle, and what few are beyond, in milliseconds. */
export interface Quantiles {
  /** Half are below. */
  readonly p50: number;
  /** 95 of 100 are below. */
  readonly p95: number;
  /** 99 of 100 are below. */
  readonly p99: number;
}

/** What became of the requests of a class, or of all. */
export interface ClassSummary {
  /** That came. */
  readonly requests: number;
  /** That were done. */
  readonly done: number;
  /** Times that one of them was told to come again. */
  readonly refusals: number;
  /** From coming to slots. */
  readonly queueMs: Quantiles;
  /** From coming to the first token. */
  readonly firstMs: Quantiles;
  /** From coming to the whole answer. */
  readonly latencyMs: Quantiles;
}

/** What became of all, and what it took. */
export interface Summary {
  /** Of all requests. */
  readonly all: ClassSummary;
  /** Of each class. */
  readonly classes: ReadonlyMap<string, ClassSummary>;
  /** Requests done in a second. */
  readonly perSecond: number;
  /** Part of the servers' time in which they ran. */
  readonly utilization: number;
  /** Time of all servers, in seconds. */
  readonly replicaSeconds: number;
  /** Servers at once, at most. */
  readonly mostReplicas: number;
  /** Servers that were started on the way. */
  readonly coldStarts: number;
  /** Of all, and of one that was done; undefined where no price is known. */
  readonly cost: { readonly total: number; readonly each: number } | undefined;
}

/** What a run comes to. */
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

/** Quantiles of `values`, each the least that so many are not above. */
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
