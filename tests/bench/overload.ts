// deno-lint-ignore-file no-console -- a report for people
/**
 * The overload benchmark: 200 clients at once on a server whose queue holds 32.
 *
 * ```sh
 * deno run -A tests/bench/overload.ts            # they arrive in a second
 * deno run -A tests/bench/overload.ts 200 0      # all in the same millisecond
 * ```
 *
 * The clients run in one process and on the same cores: when all arrive at
 * once, most of a refusal's latency is their own.
 *
 * Every client requests one picture. A refused client retries after its
 * Retry-After. A separate client polls liveness all the time.
 *
 * Requires Linux, for the server's memory.
 *
 * @module
 */

import { type Server, startServer } from "../support/server.ts";
import { residentMebibytes } from "./resident.ts";

const CLIENTS = Number(Deno.args[0] ?? 200);

/** Time in which all arrive; 0 for the same millisecond. */
const ARRIVAL_MS = Number(Deno.args[1] ?? 1000);
const BODY = JSON.stringify({
  prompt: "a rocket above a tree",
  height: 64,
  width: 64,
});

/** One attempt of a client. */
interface Attempt {
  readonly status: number;
  readonly milliseconds: number;
  /** Retry-After; 0 if it was admitted. */
  readonly retryAfterSeconds: number;
}

await using server = await startServer({ QUEUE_LIMIT: "32" });
// The first picture loads lazy parts; the others set the pace.
for (let i = 0; i < 10; i++) await attempt(server.url);
// Connections are opened before: a refusal is timed without a handshake.
await Promise.all(
  Array.from({ length: CLIENTS }, () => fetch(`${server.url}/livez`)),
).then((answers) => Promise.all(answers.map((answer) => answer.bytes())));
const before = Math.round(await residentMebibytes(server));
const watch = watchHealth(server);
const startedAt = performance.now();
const clients = await Promise.all(
  Array.from({ length: CLIENTS }, async (_, i) => {
    await pause(ARRIVAL_MS * i / CLIENTS);
    return await client(server.url);
  }),
);
const seconds = (performance.now() - startedAt) / 1000;
const health = await watch.stop();

const attempts = clients.flat();
const refused = attempts.filter(({ status }) => status === 503);
const first = clients.map(([first]) => first!);
const returns = clients.flatMap((attempts) => attempts.slice(1));
const odd = attempts.filter(({ status }) => status !== 200 && status !== 503);
const result = {
  clients: CLIENTS,
  arrivalMs: ARRIVAL_MS,
  seconds,
  letInAtOnce: first.filter(({ status }) => status === 200).length,
  refusals: refused.length,
  refusalMs: quantiles(refused.map(({ milliseconds }) => milliseconds)),
  returnsLetIn: returns.filter(({ status }) => status === 200).length /
    Math.max(1, returns.length),
  mostAttempts: Math.max(...clients.map(({ length }) => length)),
  livezMs: quantiles(health.milliseconds),
  unhealthy: health.unhealthy,
  mebibytes: {
    before,
    most: Math.round(health.mostMebibytes),
    after: Math.round(await residentMebibytes(server)),
  },
};
console.log(JSON.stringify(result, undefined, 2));
if (odd.length > 0 || health.unhealthy > 0) {
  console.log(`not as promised: ${JSON.stringify(odd.slice(0, 3))}`);
  Deno.exitCode = 1;
}

/** Retries until the picture is drawn. */
async function client(url: string): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (;;) {
    const made = await attempt(url);
    attempts.push(made);
    if (made.status !== 503) return attempts;
    await pause(1000 * made.retryAfterSeconds);
  }
}

async function attempt(url: string): Promise<Attempt> {
  const start = performance.now();
  const response = await fetch(`${url}/v1/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "image/png" },
    body: BODY,
  });
  await response.bytes();
  return {
    status: response.status,
    milliseconds: performance.now() - start,
    retryAfterSeconds: Number(response.headers.get("retry-after") ?? 0),
  };
}

/** Polls the health ten times per second, until it is stopped. */
function watchHealth(server: Server) {
  const stop = new AbortController();
  const milliseconds: number[] = [];
  let unhealthy = 0;
  let mostMebibytes = 0;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      for (const path of ["/livez", "/readyz"]) {
        const start = performance.now();
        const response = await fetch(`${server.url}${path}`);
        await response.bytes();
        milliseconds.push(performance.now() - start);
        if (!response.ok) unhealthy++;
      }
      mostMebibytes = Math.max(mostMebibytes, await residentMebibytes(server));
      await pause(100);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await watching;
      return { milliseconds, unhealthy, mostMebibytes };
    },
  };
}

function quantiles(values: readonly number[]): Record<string, number> {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(10 * (sorted[Math.floor(share * (sorted.length - 1))] ?? 0)) /
    10;
  return { median: at(0.5), p99: at(0.99), most: at(1) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
