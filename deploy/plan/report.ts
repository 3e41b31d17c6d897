/**
 * The report of a plan, as tables and as JSON.
 *
 * @module
 */

import { type Analysis, analyze } from "./analysis.ts";
import type { PlanConfig, Price } from "./config.ts";
import { simulate } from "./fleet.ts";
import { isMet, type Least, leastReplicas } from "./minimum_servers.ts";
import {
  type ClassSummary,
  type Quantiles,
  summarize,
  type Summary,
} from "./summary.ts";

/** A plan. */
export interface Plan {
  /** Configuration of the plan. */
  readonly config: PlanConfig;
  /** Analytic results. */
  readonly analysis: Analysis;
  /** Simulated results of the requested servers. */
  readonly summary: Summary;
  /** True if they meet the target; undefined without a target. */
  readonly met: boolean | undefined;
  /**
   * Fewest servers that meet the target; undefined without a target or a
   * solution.
   */
  readonly least: Least | undefined;
}

/** Makes a plan. */
export async function makePlan(config: PlanConfig): Promise<Plan> {
  const { engine, arrivals, scaling, retries, price, target } = config;
  const run = await simulate(arrivals, {
    engine,
    scaling,
    retries,
    promises: true,
  });
  const summary = summarize(run, price);
  return {
    config,
    analysis: analyze(arrivals, engine, scaling.max),
    summary,
    met: target && isMet(summary, target),
    least: target && await leastReplicas(config, target),
  };
}

/** Returns a plan as JSON fields. Times are in seconds. */
export function planFields(plan: Plan): Record<string, unknown> {
  const { analysis, summary, config, met, least } = plan;
  return {
    analysis: {
      "per_second": analysis.perSecond,
      "most_per_second": analysis.mostPerSecond,
      "least_replicas": analysis.leastReplicas,
      load: analysis.load,
      places: analysis.places,
      // JSON has no infinity.
      "mean_wait_s": Number.isFinite(analysis.meanWaitMs)
        ? analysis.meanWaitMs / 1000
        : null,
    },
    simulation: summaryFields(summary, config.price),
    ...(met !== undefined && {
      target: {
        met,
        least: least === undefined ? null : {
          replicas: least.replicas,
          ...summaryFields(least.summary, config.price),
        },
      },
    }),
  };
}

/** Returns a plan as tables. */
export function planText(plan: Plan): string {
  const { analysis, summary, config, met, least } = plan;
  const { scaling, price, target, coldStartMs } = config;
  const servers = scaling.min === scaling.max
    ? `${scaling.max}`
    : `${scaling.min} to ${scaling.max}`;
  const lines = [
    `Servers: ${servers}; at most ${summary.mostReplicas} at once, ${summary.coldStarts} cold starts`,
    ...coldStartMs.size > 0
      ? [`Cold start: ${seconds(scaling.coldStartMs)} (${phases(coldStartMs)})`]
      : [],
    "",
    table(summary),
    "",
    `Throughput: ${
      summary.perSecond.toPrecision(3)
    } requests per second; servers compute for ${
      percent(summary.utilization)
    } of ${Math.round(summary.replicaSeconds)} s${costText(summary, price)}`,
    "",
    `Analysis: ${
      analysis.perSecond.toPrecision(3)
    } requests per second arrive, a server completes at most ${
      analysis.mostPerSecond.toPrecision(3)
    }, so at least ${analysis.leastReplicas} are needed. With ${scaling.max}: load at least ${
      percent(analysis.load)
    }, mean wait ${seconds(analysis.meanWaitMs)} (M/G/c)`,
  ];
  if (target !== undefined) {
    const wanted = `95 % of requests within ${
      seconds(target.p95Ms)
    } (${target.of})`;
    lines.push(
      "",
      `Target: ${wanted}: ${met ? "met" : "not met"}. ${
        least === undefined
          ? `No number of servers up to ${scaling.max} meets it`
          : `Fewest servers, always running: ${least.replicas}${
            costText(least.summary, price)
          }`
      }`,
    );
  }
  return lines.join("\n");
}

function table({ all, classes }: Summary): string {
  const rows = [...classes, ["all", all] as const]
    .map(([name, one]) => [
      name,
      `${one.done}/${one.requests}`,
      `${one.refusals}`,
      ...[one.queueMs, one.firstMs, one.latencyMs].map(threeSeconds),
    ]);
  const head = ["", "done", "refusals", "queue", "first token", "latency"];
  const note = "p50 / p95 / p99";
  const lines = [head, ["", "", "", note, note, note], ...rows];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  return lines.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
    ).join("  ")
  ).join("\n");
}

function summaryFields(
  summary: Summary,
  price: Price | undefined,
): Record<string, unknown> {
  const { classes, all, cost } = summary;
  return {
    all: classFields(all),
    classes: Object.fromEntries(
      [...classes].map(([name, one]) => [name, classFields(one)]),
    ),
    "per_second": summary.perSecond,
    utilization: summary.utilization,
    "replica_seconds": summary.replicaSeconds,
    "most_replicas": summary.mostReplicas,
    "cold_starts": summary.coldStarts,
    ...(cost && { cost: { ...cost, currency: price!.currency } }),
  };
}

function classFields(one: ClassSummary): Record<string, unknown> {
  return {
    requests: one.requests,
    done: one.done,
    refusals: one.refusals,
    "queue_s": inSeconds(one.queueMs),
    "first_token_s": inSeconds(one.firstMs),
    "latency_s": inSeconds(one.latencyMs),
  };
}

function inSeconds({ p50, p95, p99 }: Quantiles): Quantiles {
  return { p50: p50 / 1000, p95: p95 / 1000, p99: p99 / 1000 };
}

function threeSeconds({ p50, p95, p99 }: Quantiles): string {
  return [p50, p95, p99].map(seconds).join(" / ");
}

function seconds(milliseconds: number): string {
  if (milliseconds === Infinity) return "without limit";
  const value = milliseconds / 1000;
  return `${value < 100 ? value.toFixed(2) : Math.round(value)} s`;
}

function phases(coldStartMs: ReadonlyMap<string, number>): string {
  return [...coldStartMs].map(([name, ms]) => `${name} ${seconds(ms)}`)
    .join(", ");
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function costText({ cost }: Summary, price: Price | undefined): string {
  if (cost === undefined) return "";
  const amount = (value: number) =>
    `${value.toPrecision(3)} ${price!.currency}`;
  return `; ${amount(cost.total)} in total, ${amount(cost.each)} per request`;
}
