/**
 * The real engine, run through arrivals on a manual clock: the reference of a
 * plan.
 *
 * @module
 */

import { PlannedPolicy } from "../../deploy/plan/planned_policy.ts";
import type { EngineSize } from "../../deploy/plan/virtual_decoder.ts";
import type { Arrival } from "../../deploy/plan/workload.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { OverloadedError } from "../../lib/errors.ts";
import { settle } from "./job_desk.ts";
import { TimedDecoder } from "./timed_decoder.ts";

/** The start time of a request, or its Retry-After. */
export type EngineOutcome =
  | {
    readonly startedAt: number;
    readonly firstAt: number;
    readonly finishedAt: number;
  }
  | { readonly retryAfterSeconds: number };

/** A request of one of several callers. */
export interface CalledArrival extends Arrival {
  readonly caller?: string;
}

/** Runs `arrivals`, in order of time, to their ends. */
export async function runEngine(
  arrivals: readonly CalledArrival[],
  { slots, queueLimit, cacheTokens, chunkTokens: chunkLength, costs }:
    EngineSize,
): Promise<EngineOutcome[]> {
  let time = 0;
  let next = 0;
  const outcomes: Promise<EngineOutcome>[] = [];
  const { signal } = new AbortController();
  const ask = async (
    { kind, caller }: CalledArrival,
    i: number,
  ): Promise<EngineOutcome> => {
    const { maxNewTokens, tokensPerRun, long } = kind;
    const queuedAt = time;
    const prompts = kind.prompts.map((length, row) => {
      const shared = kind.sharesLast && row === kind.prompts.length - 1;
      const tokens = new Int32Array(length).fill(1);
      tokens[0] = shared ? -kind.name.charCodeAt(0) : 2 * i + row;
      return { tokens, prefixBoundaries: [length] };
    });
    const policy = new PlannedPolicy(kind);
    const request = {
      prompts,
      policy,
      maxNewTokens,
      tokensPerRun,
      long,
      caller,
    };
    try {
      const taken = await engine.run(request, signal);
      const startedAt = queuedAt + taken.queueMs;
      const firstAt = startedAt + taken.prefillMs;
      return { startedAt, firstAt, finishedAt: firstAt + taken.decodeMs };
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
      return { retryAfterSeconds: error.retryAfterSeconds! };
    }
  };
  const arrive = () => {
    for (; (arrivals[next]?.atMs ?? Infinity) <= time; next++) {
      outcomes.push(ask(arrivals[next]!, next));
    }
  };
  const decoder = new TimedDecoder(
    { slots, contextLength: 2 ** 30, chunkLength },
    { costs, pass: (milliseconds) => (time += milliseconds, arrive()) },
  );
  const now = () => time;
  const engine = new Engine(decoder, { queueLimit, cacheTokens, now });
  while (next < arrivals.length) {
    time = Math.max(time, arrivals[next]!.atMs);
    arrive();
    await Promise.all(outcomes);
    await settle();
  }
  return await Promise.all(outcomes);
}
