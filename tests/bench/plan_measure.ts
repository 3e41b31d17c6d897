/**
 * The measurement of a server over HTTP, as input of a plan.
 *
 * @module
 */

import type { CostTable, StepCosts } from "../../deploy/plan/step_cost.ts";
import { pictureRuns } from "../../deploy/plan/workload.ts";

/** A picture to request. */
interface Question {
  /** Height and width in codes. */
  readonly side: number;
  /** Guidance scale; 1 for none. */
  readonly scale: number;
  /** Number in the prompt: distinct numbers share no prefix. */
  readonly number: number;
}

/** The result of a request. Times are in milliseconds. */
export interface Asked {
  /** Time from the request to the answer, refusals included. */
  readonly latencyMs: number;
  /** Time from the first attempt to slots. */
  readonly queueMs: number;
  /** Time of the last attempt from slots to the first code. */
  readonly prefillMs: number;
  /** Time of the last attempt from the first code to the last. */
  readonly decodeMs: number;
  /** Count of refusals. */
  readonly refusals: number;
}

/** The measured costs of a server. */
export interface Measurement {
  /** Costs by size. */
  readonly costs: StepCosts;
  /** Tokens of a picture's prompt. */
  readonly promptTokens: number;
  /** Capacity of the cache in tokens. */
  readonly cacheTokens: number;
  /** Time of a request outside of the engine, alone. */
  readonly overheadMs: number;
}

const ROUNDS = 3;

/** Sides of the pictures whose steps are timed, in codes. */
const SIDE = 16;

/** Measures a server whose pictures are drawn code by code. */
export async function measureEngine(
  url: string,
  { slots, chunkTokens }: {
    readonly slots: number;
    readonly chunkTokens: number;
  },
): Promise<Measurement> {
  let number = 1_000_000;
  const draw = (side: number) => ask(url, { side, scale: 1, number: number++ });
  await draw(SIDE);
  const step: { size: number; milliseconds: number }[] = [];
  const alone: Asked[] = [];
  for (const rows of [2, 4, slots].filter((rows) => rows <= slots)) {
    const { runs } = pictureRuns(SIDE, SIDE);
    let least = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const all = await Promise.all(
        Array.from({ length: rows }, () => draw(SIDE)),
      );
      const mean = all.reduce((sum, { decodeMs }) => sum + decodeMs, 0) / rows;
      least = Math.min(least, mean / runs);
    }
    step.push({ size: rows, milliseconds: least });
  }
  for (let round = 0; round < 2 * ROUNDS; round++) alone.push(await draw(8));
  const { usage } = await (await post(url, "application/json", {
    side: 8,
    scale: 1,
    number,
  })).json();
  const promptTokens: number = usage["prompt_tokens"];
  const prefillMs = Math.min(...alone.map(({ prefillMs }) => prefillMs));
  const prefill: CostTable = [
    { size: promptTokens, milliseconds: prefillMs },
    { size: chunkTokens, milliseconds: prefillMs },
  ];
  const overheads = alone.map(({ latencyMs, queueMs, prefillMs, decodeMs }) =>
    latencyMs - queueMs - prefillMs - decodeMs
  );
  return {
    costs: { step, prefill, wide: [], heldTokenMs: 0 },
    promptTokens,
    cacheTokens: await cacheTokensOf(url),
    overheadMs: overheads.sort((a, b) => a - b)[ROUNDS]!,
  };
}

/** Sends a request until it is answered, and retries as instructed. */
export async function ask(url: string, question: Question): Promise<Asked> {
  const start = performance.now();
  for (let refusals = 0;; refusals++) {
    const attempt = performance.now();
    const answer = await post(url, "application/octet-stream", question);
    await answer.bytes();
    const wait = Number(answer.headers.get("retry-after"));
    if (answer.status === 503 && wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
      continue;
    }
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const times = Object.fromEntries(
      [...(answer.headers.get("server-timing") ?? "")
        .matchAll(/(\w+);dur=([\d.]+)/g)]
        .map(([, name, ms]) => [name!, Number(ms)]),
    );
    return {
      latencyMs: performance.now() - start,
      queueMs: attempt - start + times["queue"]!,
      prefillMs: times["prefill"]!,
      decodeMs: times["decode"]!,
      refusals,
    };
  }
}

async function post(
  url: string,
  accept: string,
  { side, scale, number }: Question,
): Promise<Response> {
  return await fetch(`${url}/v1/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify({
      // Numbers of one length, in front: no prefix is cached.
      prompt: `${1e7 + number} apples`,
      height: 8 * side,
      width: 8 * side,
      "guidance_scale": scale,
      seed: number,
      strategy: "autoregressive",
    }),
  });
}

async function cacheTokensOf(url: string): Promise<number> {
  const { data } = await (await fetch(`${url}/v1/models`)).json();
  for (const { engine } of data) {
    if (engine !== undefined) return engine.cache.tokens;
  }
  throw new Error("the server lists no engine");
}
