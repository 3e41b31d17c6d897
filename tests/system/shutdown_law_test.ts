/**
 * The law of shutdown: signals at any moment, under load of every kind, lose no
 * request.
 *
 * Each server is the next one's predecessor, on one store. `STOP_TRIALS` sets
 * the number of stopped servers.
 */

import { ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { type Server, startServer } from "../support/server.ts";
import {
  endOf,
  type Outcome,
  type StopClient,
  stopClients,
  undisturbed,
} from "../support/stop_load.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { json, TINY_FOLDERS } from "../support/tiny_server.ts";

const TRIALS = Number(Deno.env.get("STOP_TRIALS") ?? 3);

/** A stop, and its circumstances. */
interface Trial {
  /** Grace in seconds. */
  readonly grace: number;
  /** Time from the first request to the signal, in milliseconds. */
  readonly afterMs: number;
  /** Signal, as platforms send it. */
  readonly signal: "SIGTERM" | "SIGINT";
  /** True if a client opens a stream and never reads it. */
  readonly stalled: boolean;
}

/** A stop amid all requests, on any machine. */
const AMID: Trial = {
  grace: 0,
  afterMs: 30,
  signal: "SIGTERM",
  stalled: true,
};

const others = fc.sample(
  fc.record<Trial>({
    grace: fc.constantFrom(0, 0.1, 0.5, 20),
    afterMs: fc.nat(400),
    signal: fc.constantFrom("SIGTERM", "SIGINT"),
    stalled: fc.boolean(),
  }),
  TRIALS - 1,
);
const trials = [AMID, ...others];

function start(store: string, grace: number): Promise<Server> {
  return startServer({
    MODEL: TINY_FOLDERS.gen,
    THREADS: "1",
    STORE: store,
    SHUTDOWN_GRACE_S: `${grace}`,
  });
}

/** Returns the outcome of each client's request, after the server is gone. */
async function stopAmid(
  { url, process }: Server,
  clients: readonly StopClient[],
  { afterMs, signal, stalled }: Trial,
): Promise<Outcome[]> {
  const asked = clients.map(({ ask }) =>
    ask(url).catch((error): Outcome => {
      if (!isClosed(error)) throw error;
      return { type: "unread" };
    })
  );
  const all = Promise.all(asked);
  // Checked below, after the wait.
  all.catch(() => undefined);
  const reader = stalled
    ? await fetch(
      `${url}/v1/generate`,
      json({ prompt: "a fox", height: 256, width: 256, logprobs: 8 }, {
        accept: "text/event-stream",
      }),
    )
    : undefined;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  process.kill(signal);
  const outcomes = await all;
  strictEqual((await process.status).code, 0);
  await reader?.body?.cancel().catch(() => undefined);
  return outcomes;
}

Deno.test(`Shutdown loses no request over ${TRIALS} signals at any moment`, async () => {
  using folder = temporaryFolder();
  const store = join(folder.path, "jobs.sqlite");
  const counts = { answered: 0, kept: 0, refused: 0, unread: 0 };
  let server = await start(store, trials[0]!.grace);
  for (const [i, trial] of trials.entries()) {
    const clients = stopClients(i);
    const outcomes = await stopAmid(server, clients, trial);
    await server[Symbol.asyncDispose]();
    server = await start(store, trials[i + 1]?.grace ?? 0);
    for (const { type } of outcomes) counts[type]++;
    const { url } = server;
    await Promise.all(
      outcomes.map((outcome, j) => check(url, clients[j]!, outcome)),
    );
  }
  await server[Symbol.asyncDispose]();
  ok(counts.kept > TRIALS, JSON.stringify(counts));
  // A server that lost the requests that it read would lose most of them.
  ok(counts.unread <= TRIALS, JSON.stringify(counts));
});

/**
 * Returns true for a connection that was closed without an answer. On a busy
 * machine a server stops before it has read a request; clients cannot tell, and
 * repeat it.
 */
function isClosed(error: unknown): boolean {
  return error instanceof TypeError &&
    /closed before message completed|onnection re(set|fused)/.test(
      `${error.cause}`,
    );
}

async function check(
  url: string,
  client: StopClient,
  outcome: Outcome,
): Promise<void> {
  if (outcome.type === "refused" || outcome.type === "unread") return;
  const seed = client.seed ?? (outcome.type === "kept" ? outcome.seed : NaN);
  // The seed of a completed random generation is unknown here.
  if (Number.isNaN(seed)) return;
  const [got, whole] = await Promise.all([
    outcome.type === "kept" ? endOf(url, outcome.job, client) : outcome.essence,
    undisturbed(url, client, seed!),
  ]);
  strictEqual(got, whole, client.name);
}
