/**
 * The abuse test: under any load of one client or several, a server never
 * exits, answers `/livez` in time, stays within its memory bound, refuses with
 * the right problem and releases memory.
 *
 * Attacks run one after the other, then all at once. `ABUSE_ROUNDS` sets their
 * count, `ABUSE_SEED` their sizes.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { attackedServer, percentile } from "./attacked_server.ts";
import {
  type Attack,
  keyHeaders,
  pause,
  type Target,
} from "./attacks/attack.ts";
import { BODY_ATTACKS, ordinary } from "./attacks/bodies.ts";
import { CONNECTION_ATTACKS } from "./attacks/connections.ts";
import { PICTURE_ATTACKS } from "./attacks/pictures.ts";
import { randomOf } from "../support/fault_schedule.ts";
import { memoryBound, SETTINGS } from "./memory_bound.ts";

const ATTACKS = [...BODY_ATTACKS, ...CONNECTION_ATTACKS, ...PICTURE_ATTACKS];
const ROUNDS = Number(Deno.env.get("ABUSE_ROUNDS") ?? 1);
const SEED = Number(Deno.env.get("ABUSE_SEED") ?? Date.now() % 1e6);
const ONLY = Deno.env.get("ABUSE_ONLY");

/** Minimum duration of each attack, enough probes for a percentile. */
const LEAST_MS = 4000;

/**
 * Limit of the 99th percentile of `/livez`, in milliseconds of the server's
 * event loop. It also grows if others use the same caches and memory, though by
 * far less.
 */
const LOOP_MS = Number(Deno.env.get("ABUSE_LOOP_MS") ?? 250);

/** Limit by wall clock, which is longer on a shared machine. */
const LIVEZ_MS = Number(Deno.env.get("ABUSE_LIVEZ_MS") ?? LOOP_MS);

/** Limit of memory a minute after the last work, as a ratio to idle memory. */
const BACK = 1.2;

/** Fragments beside that: of heaps that threads share, and of the pages of V8. */
const KEPT_BYTES = 192 * 2 ** 20;

/** Status of a connection that was refused or reset. */
const REFUSED_CONNECTION = 0;

const MEBIBYTE = 2 ** 20;

/** Report file: the runner hides the output of passing tests. */
const REPORT = new URL("../../.cache/abuse.txt", import.meta.url);

function say(line: string): void {
  Deno.mkdirSync(new URL(".", REPORT), { recursive: true });
  Deno.writeTextFileSync(REPORT, `${line}\n`, { append: true });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}

/** Attacks, and checks every guarantee of the server. */
async function bear(
  t: Deno.TestContext,
  server: Awaited<ReturnType<typeof attackedServer>>,
  attacks: readonly Attack[],
  targets: readonly Target[],
  bound: number,
): Promise<void> {
  const seen = new Map<Attack, Set<number>>();
  const report = await server.watch(() =>
    Promise.all(attacks.flatMap((attack) =>
      targets.map(async (target) => {
        const statuses = seen.get(attack) ?? new Set();
        seen.set(attack, statuses);
        const end = performance.now() + LEAST_MS;
        do {
          for (const status of await attack.run(target)) statuses.add(status);
        } while (performance.now() < end);
      })
    ))
  );
  const p99 = percentile(report.latencies, 0.99);
  const loop99 = percentile(report.loopTimes, 0.99);
  const statuses = [...seen.values()].flatMap((all) => [...all]);
  say(
    `  ${t.name}: p99 ${Math.round(p99)} ms (computing ${
      Math.round(loop99)
    }) of ${report.latencies.length}, peak ${megabytes(report.peakBytes)} of ${
      megabytes(bound)
    }, statuses ${[...new Set(statuses)].sort()}`,
  );
  strictEqual(report.failures, 0, "/livez failed");
  const own = Math.max(...attacks.map(({ livezMs = 0 }) => livezMs));
  ok(loop99 <= Math.max(LOOP_MS, own), `/livez took ${loop99} ms of CPU time`);
  ok(p99 <= Math.max(LIVEZ_MS, own), `/livez took ${p99} ms`);
  ok(report.peakBytes <= bound, `resident ${megabytes(report.peakBytes)}`);
  for (const [{ name, allowed }, statuses] of seen) {
    // All attacks at once open more connections than one address may.
    const fine = attacks.length > 1
      ? [...allowed, REFUSED_CONNECTION]
      : allowed;
    const wrong = [...statuses].filter((status) => !fine.includes(status));
    deepStrictEqual(wrong, [], name);
  }
  for (const target of targets) await recovers(target);
}

/** Checks that an ordinary request succeeds soon after an attack. */
async function recovers(target: Target): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (await ordinary(target) === 200) return;
    await pause(250);
  }
  throw new Error("no ordinary request is answered any more");
}

/** Metrics of work in progress. */
const WORK = /^emu3_(requests_running|queue_depth|codec_running|pixel_waiting)/;

/** Waits until a server is idle: jobs outlive the attacks that created them. */
async function rests(target: Target): Promise<void> {
  for (let second = 0; second < REST_S; second++) {
    const headers = keyHeaders(target);
    const answer = await fetch(`${target.url}/metrics`, { headers });
    const busy = (await answer.text()).split("\n")
      .filter((line) => WORK.test(line) && !line.endsWith(" 0"));
    if (busy.length === 0) return;
    await pause(1000);
  }
  throw new Error("work never ends");
}

/** Limit of work that outlives the attacks, in seconds. */
const REST_S = 300;

/**
 * Sends the requests of ordinary use: weights are read, KV cache is allocated,
 * threads start. The memory afterwards is the baseline.
 */
async function warmUp(target: Target): Promise<void> {
  const warm = [...CONNECTION_ATTACKS, ...PICTURE_ATTACKS]
    .filter(({ name }) => WARM.test(name));
  for (let seed = 1; seed <= WARM_ROUNDS; seed++) {
    for (const { run } of warm) {
      await run({ ...target, random: randomOf(seed) });
    }
  }
  await rests(target);
  // Time for garbage collection, and for idle codec threads to end.
  await pause(10_000);
}

/**
 * Rounds of warming up: sizes are random, and the largest determine the memory.
 */
const WARM_ROUNDS = 3;

const WARM = /crowd of drawings|large grids/;

const KEYS = ["first-key-of-the-tests", "second-key-of-the-tests"];

for (const keys of [[], KEYS]) {
  const by = keys.length > 0 ? "with keys" : "without keys";
  Deno.test({
    name: `Server ${by} withstands every attack, and all at once`,
    // Connection pools outlive their requests.
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async (t) => {
      say(`ABUSE_SEED=${SEED}`);
      const env = { ...SETTINGS, API_KEYS: keys.join() };
      const { bytes: bound, idle } = memoryBound();
      await using server = await attackedServer(env, bound);
      const targets = (keys.length > 0 ? keys : [undefined]).map((key, i) => ({
        url: server.url,
        address: server.address,
        key,
        random: randomOf(SEED + i),
      }));
      for (const target of targets) await recovers(target);
      await warmUp(targets[0]!);
      const before = Math.max(idle, server.residentBytes());
      say(
        `  idle ${megabytes(before)}, bound ${megabytes(bound)}${
          server.limited ? ", in a control group" : ""
        }`,
      );
      const chosen = ATTACKS.filter(({ name }) =>
        ONLY === undefined || name.includes(ONLY)
      );
      for (let round = 0; round < ROUNDS; round++) {
        for (const attack of chosen) {
          await t.step(
            attack.name,
            (t) => bear(t, server, [attack], targets, bound),
          );
        }
        await t.step(
          "all at once",
          (t) => bear(t, server, chosen, targets, bound),
        );
      }
      await t.step(
        "Server returns to idle memory within a minute of the last request",
        async () => {
          await rests(targets[0]!);
          const limit = BACK * before + KEPT_BYTES;
          for (let second = 0; second < 60; second++) {
            if (server.residentBytes() <= limit) break;
            await pause(1000);
          }
          const now = server.residentBytes();
          say(
            `  afterwards ${megabytes(now)}, idle before ${megabytes(before)}`,
          );
          ok(now <= limit, `${megabytes(now)} of ${megabytes(before)}`);
        },
      );
    },
  });
}
