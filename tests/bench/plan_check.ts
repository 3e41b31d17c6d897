// deno-lint-ignore-file no-console -- a report for people
/**
 * The check of a plan against the server: steps are measured on this machine,
 * then random requests are sent over HTTP, and the same are planned.
 *
 * ```sh
 * deno run -A tests/bench/plan_check.ts          # half and nine tenths of what it can do
 * deno run -A tests/bench/plan_check.ts 60 0.7   # for a minute, at 0.7
 * ```
 *
 * The speed of a shared machine varies: the third column is the plan once more,
 * with all times scaled to the steps of the run itself.
 *
 * Only codes are requested, so that the vision tokenizer does not compute
 * beside the language model. Client and server share the cores: that cost is
 * measured alone and subtracted.
 *
 * @module
 */

import { analyze } from "../../deploy/plan/analysis.ts";
import { type FleetRun, simulate } from "../../deploy/plan/fleet.ts";
import type { EngineSize } from "../../deploy/plan/virtual_decoder.ts";
import type { CostTable } from "../../deploy/plan/step_cost.ts";
import { quantiles } from "../../deploy/plan/summary.ts";
import {
  type Arrival,
  pictureRuns,
  poissonArrivals,
  type RequestClass,
} from "../../deploy/plan/workload.ts";
import { startServer } from "../support/server.ts";
import { ask, type Asked, measureEngine } from "./plan_measure.ts";

const SECONDS = Number(Deno.args[0] ?? 30);
const LOADS = (Deno.args[1] ?? "0.5,0.9").split(",").map(Number);

const SLOTS = 8;
const QUEUE_LIMIT = 16;
const CHUNK_TOKENS = 256;

/** Kinds of requests: sides in codes. */
const KINDS = [
  { name: "guided 16 × 16", share: 1, side: 16, scale: 2 },
  { name: "plain 8 × 8", share: 2, side: 8, scale: 1 },
];

await using server = await startServer({
  SLOTS: `${SLOTS}`,
  QUEUE_LIMIT: `${QUEUE_LIMIT}`,
  STRATEGY: "autoregressive",
});
const { costs, promptTokens, cacheTokens, overheadMs } = await measureEngine(
  server.url,
  { slots: SLOTS, chunkTokens: CHUNK_TOKENS },
);
const engine: EngineSize = {
  slots: SLOTS,
  queueLimit: QUEUE_LIMIT,
  cacheTokens,
  chunkTokens: CHUNK_TOKENS,
  costs,
};
console.log(JSON.stringify({ costs, promptTokens, cacheTokens, overheadMs }));
const classes = KINDS.map(({ name, side, scale }): RequestClass => {
  const { runs, newTokens } = pictureRuns(side, side);
  return {
    name,
    prompts: scale > 1 ? [promptTokens, promptTokens] : [promptTokens],
    sharesLast: scale > 1,
    runs,
    newTokens,
    maxNewTokens: newTokens,
    tokensPerRun: 1,
    long: true,
    afterMs: overheadMs,
  };
});
const mix = classes.map((kind, i) => ({ kind, share: KINDS[i]!.share }));

for (const load of LOADS) {
  const probe = poissonArrivals(mix, {
    ratePerMs: 1,
    durationMs: 1000,
    seed: 1,
  });
  const { mostPerSecond } = analyze(probe, engine, 1);
  const arrivals = poissonArrivals(mix, {
    ratePerMs: load * mostPerSecond / 1000,
    durationMs: 1000 * SECONDS,
    seed: 2,
  });
  const measured = await replay(arrivals);
  const { factor, run } = await atSpeedOf(measured.answers, arrivals);
  console.log(
    `\nload ${load}, ${arrivals.length} requests, steps took ${
      factor.toFixed(2)
    } times as long as alone`,
  );
  report(arrivals, [await plan(arrivals, 1), run], measured);
}

/** Plans one server whose runs take `factor` times as long. */
function plan(
  arrivals: readonly Arrival[],
  factor: number,
): Promise<FleetRun> {
  const slower = (table: CostTable) =>
    table.map(({ size, milliseconds }) => ({
      size,
      milliseconds: factor * milliseconds,
    }));
  const { step, prefill, wide, heldTokenMs } = costs;
  return simulate(arrivals, {
    engine: {
      ...engine,
      costs: {
        step: slower(step),
        prefill: slower(prefill),
        wide,
        heldTokenMs: factor * heldTokenMs,
      },
    },
    scaling: {
      min: 1,
      max: 1,
      targetRequests: 1,
      downDelayMs: 0,
      coldStartMs: 0,
    },
    retries: true,
    promises: true,
  });
}

/** Finds the plan whose decode time equals the measured one, by bisection. */
async function atSpeedOf(
  answers: readonly Asked[],
  arrivals: readonly Arrival[],
) {
  const measured = sum(answers.map(({ decodeMs }) => decodeMs));
  let low = 0.1;
  let high = 10;
  for (let i = 0; i < 12; i++) {
    const factor = Math.sqrt(low * high);
    const { outcomes } = await plan(arrivals, factor);
    const planned = sum(
      outcomes.map(({ ran }) => ran!.finishedAt - ran!.firstAt),
    );
    if (planned < measured) low = factor;
    else high = factor;
  }
  const factor = Math.sqrt(low * high);
  return { factor, run: await plan(arrivals, factor) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Sends all requests, each at its arrival time. */
async function replay(
  arrivals: readonly Arrival[],
): Promise<{ readonly answers: readonly Asked[]; readonly endMs: number }> {
  const start = performance.now();
  const answers = await Promise.all(arrivals.map(async ({ atMs, kind }, i) => {
    await new Promise((resolve) =>
      setTimeout(resolve, start + atMs - performance.now())
    );
    const { side, scale } = KINDS[classes.indexOf(kind)]!;
    return await ask(server.url, { side, scale, number: i });
  }));
  return { answers, endMs: performance.now() - start };
}

function report(
  arrivals: readonly Arrival[],
  plans: readonly FleetRun[],
  { answers, endMs }: Awaited<ReturnType<typeof replay>>,
): void {
  const perSecond = (ms: number) => (arrivals.length / ms * 1000).toFixed(2);
  const rows = [
    ["", "planned", "at the speed of the run", "measured"],
    [
      "queue, p50 / p95 / p99, ms",
      ...plans.map(({ outcomes }) =>
        three(outcomes.map(({ atMs, ran }) => ran!.startedAt - atMs))
      ),
      three(answers.map(({ queueMs }) => queueMs)),
    ],
    [
      "latency, p50 / p95 / p99, ms",
      ...plans.map(({ outcomes }) =>
        three(
          outcomes.map(({ atMs, ran, kind }) =>
            ran!.finishedAt + kind.afterMs - atMs
          ),
        )
      ),
      three(answers.map(({ latencyMs }) => latencyMs)),
    ],
    [
      "requests a second",
      ...plans.map(({ endMs }) => perSecond(endMs)),
      perSecond(endMs),
    ],
    [
      "refusals",
      ...plans.map(({ outcomes }) =>
        `${sum(outcomes.map(({ refusals }) => refusals))}`
      ),
      `${sum(answers.map(({ refusals }) => refusals))}`,
    ],
  ];
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

function three(values: readonly number[]): string {
  const { p50, p95, p99 } = quantiles(values);
  return [p50, p95, p99].map((ms) => Math.round(ms)).join(" / ");
}
