// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of chains: overhead of a step, bytes of a journal, a crowd at a
 * short queue, and memory.
 *
 * ```sh
 * deno task bench:workflows          # a crowd of 200 chains
 * deno task bench:workflows 20
 * ```
 *
 * Requires Linux, for the memory of the processes.
 *
 * @module
 */

import { CANCEL_CASES } from "../workflows/trials/cancel_cases.ts";
import { runCrowd, startCrowdStack } from "../workflows/trials/crowd.ts";
import { type Stack, startStack } from "../workflows/harness/stack.ts";
import { Ingress } from "../workflows/trials/ingress.ts";
import { RequestCounter } from "../workflows/trials/request_counter.ts";
import { until } from "../support/until.ts";

const CROWD = Number(Deno.args[0] ?? 200);

/** Runs of the measurement of a step. */
const RUNS = 30;

/** Steps of the chain `imagine`. */
const STEPS = 3;

const { signal } = new AbortController();
print("overhead", await overhead());
print("journals", await journals());
print("cancel", await cancelMs());
print("crowd", await crowd());

function print(name: string, result: Record<string, unknown>): void {
  console.log(name, JSON.stringify(result, undefined, 2));
}

/** Compares the steps of `imagine` with the same requests sent directly. */
async function overhead(): Promise<Record<string, number>> {
  await using stack = await startStack({ emu3Env: { STUB_MS: "0" } });
  const ingress = new Ingress(stack.ingress);
  const chain = async (i: number) => {
    const answer = await stack.post(`imagine/run-${i}/run`, {
      prompt: "a",
      seed: i,
    });
    await answer.json();
  };
  for (let i = 0; i < 5; i++) {
    await chain(-1 - i);
    await direct(stack.emu3.url, -1 - i);
  }
  const chains: number[] = [];
  const directly: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    chains.push(await timed(() => chain(i)));
    directly.push(await timed(() => direct(stack.emu3.url, i)));
  }
  const status = await timed(() =>
    ingress.call({ chain: "imagine", key: "run-0" }, "status")
  );
  const [chainMs, directMs] = [median(chains), median(directly)];
  return {
    chainMs,
    directMs,
    stepMs: (chainMs - directMs) / STEPS,
    statusMs: status,
  };
}

/** Sends the requests of `imagine` without a chain. */
async function direct(url: string, seed: number): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": `direct/${seed}${path}`,
        prefer: "respond-async",
      },
      body: JSON.stringify(body),
    });
    return await response.json();
  };
  const { id } = await post("/v1/generate", { prompt: "a", seed });
  await (await fetch(`${url}/v1/jobs/${id}/events`)).text();
  await (await fetch(`${url}/v1/jobs/${id}`)).json();
  await post("/v1/caption", {});
  await post("/v1/score", {});
}

/** Returns the bytes of a chain's journal and state, by codes of a picture. */
async function journals(): Promise<Record<string, number>> {
  await using at = await startCrowdStack();
  const { stack } = at;
  const ingress = new Ingress(stack.ingress);
  const bytes: Record<string, number> = {};
  for (const side of [8, 16]) {
    const size = { seed: 1, height: 8 * side, width: 8 * side };
    const inputs = {
      imagine: { prompt: "a cat", ...size },
      "best_of": { prompt: "a cat", n: 4, ...size },
      album: { prompts: ["a", "b", "c", "d"], ...size },
    };
    for (const [chain, input] of Object.entries(inputs)) {
      const before = await journalBytes(stack);
      const id = { chain, key: `${chain}-${side}` };
      await ingress.start(id, input);
      const { type } = await ingress.end(id);
      if (type !== "output") throw new Error(`${chain} failed`);
      bytes[`${chain}, ${side} × ${side} codes`] = await journalBytes(stack) -
        before;
    }
  }
  return bytes;
}

async function journalBytes({ admin }: Stack): Promise<number> {
  const [row] = await admin.query(
    "select sum(raw_length) as bytes from sys_journal",
    signal,
  );
  return Number(row?.["bytes"] ?? 0);
}

/** Measures a canceled drawing: from its DELETE to the end of the job. */
async function cancelMs(): Promise<Record<string, number>> {
  let target = "";
  await using counter = new RequestCounter(() => target);
  await using stack = await startStack({
    mini: true,
    serviceEnv: { EMU3_URL: counter.url },
  });
  target = stack.emu3.url;
  const ingress = new Ingress(stack.ingress);
  const { input } = CANCEL_CASES[0]!;
  const running = async () => {
    const { data } = await (await fetch(`${target}/v1/jobs`)).json();
    return data.some((
      { status, progress }: { status: string; progress: { done: number } },
    ) => status === "running" && progress.done > 0);
  };
  const whole: number[] = [];
  for (let i = 0; i < 5; i++) {
    const id = { chain: "imagine", key: `cancel-${i}` };
    await ingress.start(id, { ...input, strategy: "autoregressive" });
    await until(running);
    whole.push(
      await timed(async () => {
        await ingress.call(id, "cancel");
        await ingress.end(id);
      }),
    );
  }
  const deletes = counter.requests
    .filter(({ route }) => route.startsWith("DELETE"));
  return {
    deleteMs: median(deletes.map(({ ms }) => ms)),
    chainMs: median(whole),
    stepMs: await stepMs(target),
  };
}

/** Returns the duration of a step: a code of an unbatched picture. */
async function stepMs(url: string): Promise<number> {
  const side = 64;
  const ms = await timed(async () => {
    const response = await fetch(`${url}/v1/generate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        prompt: "a",
        strategy: "autoregressive",
        height: side,
        width: side,
      }),
    });
    await response.text();
  });
  return ms / (side / 8) ** 2;
}

/** Runs many chains at once, with a caller beside them. */
async function crowd(): Promise<Record<string, unknown>> {
  await using at = await startCrowdStack();
  const before = await memory(at.stack);
  const { succeeded, seconds, singles } = await runCrowd(at, CROWD);
  return {
    chains: CROWD,
    succeeded,
    seconds,
    requestsPerChain: at.counter.requests.length / CROWD,
    requests: at.counter.counts(),
    singleMs: median(singles.map(({ ms }) => ms)),
    mostPassed: Math.max(...singles.map(({ passed }) => passed)),
    mebibytes: { before, after: await memory(at.stack) },
  };
}

async function memory(stack: Stack): Promise<Record<string, number>> {
  const { restate, service, emu3 } = stack;
  const parts = Object.entries({ restate, service, emu3 });
  return Object.fromEntries(
    await Promise.all(parts.map(async ([name, { pid }]) => {
      const status = await Deno.readTextFile(`/proc/${pid}/status`);
      const kibibytes = Number(status.match(/^VmRSS:\s+(\d+)/m)![1]);
      return [name, Math.round(kibibytes / 1024)];
    })),
  );
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
