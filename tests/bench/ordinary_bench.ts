// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of ordinary requests of this tree beside those of another one,
 * alternating in one run: latency of one client, throughput of eight.
 *
 * ```sh
 * deno run -A tests/bench/ordinary_bench.ts <folder of the other tree>
 * ```
 *
 * @module
 */

import { goldenBytes } from "../support/pictures.ts";

/** A tree to measure. */
interface Contender {
  readonly name: string;
  readonly url: string;
  readonly process: Deno.ChildProcess;
}

const ROUNDS = 12;
const CLIENTS = 8;

const json = (body: unknown, accept = "application/json"): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", accept },
  body: JSON.stringify(body),
});

const picture = goldenBytes("preprocess/baseline_444.jpg") as BodyInit;
const row = Array(16).fill(7);
const grid = { height: 16, width: 16, codes: Array(16).fill(row) };

/** Requests, and the count of each per round. */
const REQUESTS: readonly [name: string, path: string, RequestInit, number][] = [
  ["GET /livez", "/livez", {}, 300],
  ["tokenize a sentence", "/v1/tokenize", json({ text: "a fox" }), 300],
  ["tokenize a picture", "/v1/tokenize", {
    method: "POST",
    headers: { "content-type": "image/jpeg" },
    body: picture,
  }, 8],
  ["detokenize 16 × 16", "/v1/detokenize", json({ grid }, "image/png"), 24],
  [
    "generate 128 × 128",
    "/v1/generate",
    json({ prompt: "a red apple", height: 128, width: 128, seed: 1 }),
    4,
  ],
];

const other = Deno.args[0];
if (other === undefined) throw new Error("name the folder of another tree");
const here = new URL("../../", import.meta.url).pathname;
const contenders = [await start("other", other), await start("this", here)];
for (const [name, path, init, count] of REQUESTS) {
  const times = contenders.map(() => ({
    alone: [] as number[],
    rate: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    const asks = contenders.map(({ url }) => async () => {
      const answer = await fetch(`${url}${path}`, init);
      await answer.bytes();
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status}`);
    });
    // Trees alternate, so that other load on the machine meets both alike.
    for (let i = 0; i < count; i++) {
      for (const index of i % 2 === 0 ? [0, 1] : [1, 0]) {
        const begin = performance.now();
        await asks[index]!();
        times[index]!.alone.push(performance.now() - begin);
      }
    }
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const start = performance.now();
      let left = count * 2;
      await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          while (left-- > 0) await asks[index]!();
        }),
      );
      times[index]!.rate.push(1000 * count * 2 / (performance.now() - start));
    }
  }
  const [before, after] = times.map(({ alone, rate }) => ({
    alone: median(alone),
    rate: median(rate),
  }));
  console.log(
    `${name}: ${before!.alone.toFixed(2)} → ${after!.alone.toFixed(2)} ms (${
      percent(after!.alone / before!.alone)
    }), ${before!.rate.toFixed(1)} → ${after!.rate.toFixed(1)} a second (${
      percent(after!.rate / before!.rate)
    })`,
  );
}
for (const { process } of contenders) process.kill("SIGTERM");
await Promise.all(contenders.map(({ process }) => process.status));

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

function percent(ratio: number): string {
  return `${ratio >= 1 ? "+" : ""}${(100 * (ratio - 1)).toFixed(1)} %`;
}

async function start(name: string, folder: string): Promise<Contender> {
  const port = 20_000 + Math.floor(20_000 * Math.random());
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "start"],
    cwd: folder,
    env: { PORT: `${port}`, STORE: ":memory:" },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const ready = await fetch(`${url}/readyz`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.status === 200) return { name, url, process };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
