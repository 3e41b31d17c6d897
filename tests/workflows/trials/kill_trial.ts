/**
 * The trials of kills: chains in flight, a signal to one process or to all of
 * them at a random moment, and the ends of the chains once they run again.
 *
 * @module
 */

import fc from "fast-check";
import { delay } from "../../../lib/async/delay.ts";
import type { Stack } from "../harness/stack.ts";
import { type ChainEnd, type ChainId, Ingress } from "./ingress.ts";

/** A chain, and the input that it is started with. */
export interface ChainCase {
  /** Name of the chain. */
  readonly chain: string;
  /** Input with a seed, so that every run has the same output. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** A kill, and its circumstances. */
export interface KillTrial {
  /** Processes that are killed. */
  readonly victims: readonly ("restate" | "service" | "emu3")[];
  /** Signal: `kill` for SIGKILL, `stop` for SIGTERM. */
  readonly signal: "kill" | "stop";
  /** Moment of the signal, as a fraction of an uninterrupted run. */
  readonly moment: number;
  /** Time until they are started again, in milliseconds. */
  readonly downMs: number;
}

const KILLS: fc.Arbitrary<Pick<KillTrial, "victims" | "signal">> = fc
  .constantFrom(
    { victims: ["service"], signal: "kill" },
    { victims: ["restate"], signal: "kill" },
    { victims: ["emu3"], signal: "kill" },
    { victims: ["emu3"], signal: "stop" },
    { victims: ["service", "restate", "emu3"], signal: "kill" },
  );

/** Trials of every kind of kill, at moments when chains draw. */
const FIRST: readonly KillTrial[] = [
  {
    victims: ["service", "restate", "emu3"],
    signal: "kill",
    moment: 0.3,
    downMs: 0,
  },
  { victims: ["emu3"], signal: "stop", moment: 0.3, downMs: 0 },
  { victims: ["service"], signal: "kill", moment: 0.3, downMs: 0 },
];

/** Returns `count` trials; those after the first few are random. */
export function killTrials(count: number, seed: number): KillTrial[] {
  const random = fc.record({
    kill: KILLS,
    moment: fc.double({ min: 0, max: 1, noNaN: true }),
    downMs: fc.constantFrom(0, 0, 300, 1500),
  }).map(({ kill, ...rest }) => ({ ...kill, ...rest }));
  const numRuns = Math.max(0, count - FIRST.length);
  const others = numRuns === 0 ? [] : fc.sample(random, { seed, numRuns });
  return [...FIRST.slice(0, count), ...others];
}

/** Runs chains without a disturbance; returns their ends and the time. */
export async function runWhole(
  stack: Stack,
  cases: readonly ChainCase[],
  name: string,
): Promise<{ readonly ends: ChainEnd[]; readonly ms: number }> {
  const began = performance.now();
  const ingress = new Ingress(stack.ingress);
  const ids = await startAll(ingress, cases, name);
  const ends = await Promise.all(ids.map((id) => ingress.end(id)));
  return { ends, ms: performance.now() - began };
}

/** Runs chains with a kill; returns their ends. */
export async function runKilled(
  stack: Stack,
  cases: readonly ChainCase[],
  name: string,
  { victims, signal, downMs }: KillTrial,
  afterMs: number,
): Promise<ChainEnd[]> {
  const ingress = new Ingress(stack.ingress);
  const ids = await startAll(ingress, cases, name);
  await delay(afterMs);
  await Promise.all(victims.map((victim) => stack[victim][signal]()));
  await delay(downMs);
  await Promise.all(victims.map((victim) => stack[victim].start()));
  return await Promise.all(ids.map((id) => ingress.end(id)));
}

async function startAll(
  ingress: Ingress,
  cases: readonly ChainCase[],
  name: string,
): Promise<ChainId[]> {
  const ids = cases.map(({ chain }, i) => ({ chain, key: `${name}-${i}` }));
  await Promise.all(
    ids.map((id, i) => ingress.start(id, cases[i]!.input)),
  );
  return ids;
}
