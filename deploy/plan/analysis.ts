/**
 * The analytic model: bounds for any scheduling, and estimates from queueing
 * theory.
 *
 * ```text
 * work   w = prefill + runs · rows · min over r of step(r) / r       engine time
 * load   ρ = λ · E[w] / n                  above 1, n servers cannot keep up
 * slots  c = n · requests per server       M/G/c: each slot serves one request
 * wait   E[W] ≈ C(c, a) / (c/E[S] − λ) · (1 + cv²) / 2
 * ```
 *
 * `C` is Erlang's formula for the fraction of requests that wait, the last
 * factor is Allen and Cunneen's for services that differ. `S` is a service with
 * all slots taken, so waits are overestimated where most are free.
 *
 * @module
 */

import type { EngineSize } from "./virtual_decoder.ts";
import { costOf } from "./step_cost.ts";
import { type Arrival, type RequestClass, reservedTokens } from "./workload.ts";

/** The results of the analysis. Times are in milliseconds. */
export interface Analysis {
  /** Arrivals per second. */
  readonly perSecond: number;
  /** Upper bound of the requests that a server completes per second. */
  readonly mostPerSecond: number;
  /** Minimum number of servers with a finite queue. */
  readonly leastReplicas: number;
  /** Lower bound of the utilization of the analyzed servers. */
  readonly load: number;
  /** Requests that run concurrently on a server. */
  readonly places: number;
  /** Mean wait; Infinity where the queue grows without bound. */
  readonly meanWaitMs: number;
}

/** Analyzes `arrivals` on a number of servers. */
export function analyze(
  arrivals: readonly Arrival[],
  engine: EngineSize,
  replicas: number,
): Analysis {
  const ratePerMs = rateOf(arrivals);
  const kinds = arrivals.map(({ kind }) => kind);
  const work = mean(kinds.map((kind) => leastWorkMs(kind, engine)));
  const places = placesOf(kinds, engine);
  const services = kinds.map((kind) => serviceMs(kind, engine));
  const service = mean(services);
  const variation = mean(services.map((ms) => (ms - service) ** 2)) /
    service ** 2;
  return {
    perSecond: 1000 * ratePerMs,
    mostPerSecond: 1000 / work,
    leastReplicas: Math.max(1, Math.ceil(ratePerMs * work)),
    load: ratePerMs * work / replicas,
    places,
    meanWaitMs: meanWait(ratePerMs, service, variation, replicas * places),
  };
}

/**
 * Returns the fraction of arrivals that wait, with random arrivals that offer a
 * load of `offered` (in servers) to `servers`: Erlang's C.
 */
export function erlangC(servers: number, offered: number): number {
  if (offered >= servers) return 1;
  // Erlang's B, whose recursion stays within 0 to 1.
  let blocked = 1;
  for (let i = 1; i <= servers; i++) {
    blocked = offered * blocked / (i + offered * blocked);
  }
  return blocked / (1 - offered / servers * (1 - blocked));
}

function meanWait(
  ratePerMs: number,
  service: number,
  variation: number,
  places: number,
): number {
  const offered = ratePerMs * service;
  if (offered >= places) return Infinity;
  const waits = erlangC(places, offered);
  return waits * service / (places - offered) * (1 + variation) / 2;
}

/**
 * Returns the arrival rate from the gaps between arrivals, so that one request
 * more or less has little effect.
 */
function rateOf(arrivals: readonly Arrival[]): number {
  const last = arrivals.at(-1)?.atMs ?? 0;
  return last > 0 ? arrivals.length / last : 0;
}

/** Returns the least engine time of a request. */
function leastWorkMs(kind: RequestClass, { slots, costs }: EngineSize): number {
  const { runs, prompts, tokensPerRun } = kind;
  if (tokensPerRun > 1) return runs * costOf(costs.wide, prompts.length);
  const shares = costs.step.filter(({ size }) => size <= slots)
    .map(({ size, milliseconds }) => milliseconds / size);
  // Between two measured sizes the share lies between theirs.
  const share = Math.min(...shares, costOf(costs.step, slots) / slots);
  // Prompts may be cached.
  return runs * prompts.length * share;
}

/** Returns the time from slots to the end, on a server with all slots taken. */
function serviceMs(kind: RequestClass, engine: EngineSize): number {
  const { slots, chunkTokens, costs } = engine;
  const chunks = kind.prompts.map((length) => {
    const rest = length % chunkTokens;
    const whole = Math.floor(length / chunkTokens);
    return whole * costOf(costs.prefill, chunkTokens) +
      (rest === 0 ? 0 : costOf(costs.prefill, rest));
  });
  const prefill = chunks.reduce((sum, ms) => sum + ms, 0);
  const together = placesOf([kind], engine);
  const run = kind.tokensPerRun > 1
    // Speculative requests take turns.
    ? together * costOf(costs.wide, kind.prompts.length)
    : costOf(costs.step, slots) +
      costs.heldTokenMs * heldTokens(kind) * together;
  return prefill + kind.runs * run;
}

/** Returns the tokens that a request holds in the middle of its runs. */
function heldTokens({ prompts, newTokens }: RequestClass): number {
  return prompts.reduce((sum, length) => sum + length + newTokens / 2, 0);
}

/** Returns the requests that run concurrently, within slots and memory. */
function placesOf(
  kinds: readonly RequestClass[],
  { slots, cacheTokens }: EngineSize,
): number {
  const rows = mean(kinds.map(({ prompts }) => prompts.length));
  const tokens = mean(kinds.map(reservedTokens));
  return Math.max(1, Math.floor(Math.min(slots / rows, cacheTokens / tokens)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
