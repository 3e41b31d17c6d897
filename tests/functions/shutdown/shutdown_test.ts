/**
 * Stopping, with works that a test holds in its hands.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  Drain,
  type ResumableRequest,
} from "../../../functions/middleware/drain.ts";
import {
  hopeless,
  stop,
  type Stopping,
} from "../../../functions/shutdown/shutdown.ts";
import { spawnServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { TINY_FOLDERS } from "../../support/tiny_server.ts";

/** A work that notes what becomes of it. */
function work(remainingMs?: number, onInterrupt = () => {}): ResumableRequest {
  return { remainingMs: () => remainingMs, interrupt: onInterrupt };
}

const never = new Promise<never>(() => {});

/** What stops, with nothing in it. */
function stopping(changes: Partial<Stopping> = {}): {
  parts: Stopping;
  log: string[];
} {
  const log: string[] = [];
  const disposable = (name: string) => ({
    [Symbol.asyncDispose]: () => Promise.resolve(void log.push(name)),
  });
  const runner = {
    works: [],
    drain: () => void log.push("runner drains"),
  };
  // Of jobs only these are called.
  const jobs = {
    runner,
    ...disposable("jobs closed"),
  } as unknown as Stopping["jobs"];
  const shutdown = () => Promise.resolve(void log.push("server closed"));
  const parts: Stopping = {
    drain: new Drain(),
    jobs,
    servers: [{ shutdown }],
    rest: [disposable("models closed")],
    graceMs: 10_000,
    delayMs: 0,
    ...changes,
  };
  return { parts, log };
}

Deno.test("stop() refuses at once, waits for what runs, then closes from the outside in", async () => {
  const { parts, log } = stopping();
  const leave = parts.drain.add(work(1, () => log.push("interrupted")));
  const stopped = stop(parts);
  ok(parts.drain.draining);
  deepStrictEqual(log, ["runner drains"]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  deepStrictEqual(log, ["runner drains"]);
  leave();
  strictEqual(await stopped, true);
  deepStrictEqual(log, [
    "runner drains",
    "server closed",
    "jobs closed",
    "models closed",
  ]);
});

Deno.test("stop() keeps at once what cannot finish in time, and what can waits", async () => {
  const { parts, log } = stopping();
  const leaves = new Map<string, () => void>();
  const add = (name: string, remainingMs?: number) => {
    const interrupt = () => {
      log.push(name);
      leaves.get(name)!();
      leaves.get("fits")!();
      leaves.get("unknown")!();
    };
    leaves.set(name, parts.drain.add(work(remainingMs, interrupt)));
  };
  add("fits", 5000);
  add("unknown");
  add("late", 60_000);
  await stop(parts);
  deepStrictEqual(log.slice(0, 2), ["runner drains", "late"]);
});

Deno.test("stop() interrupts all when the grace is over, and ends although nothing lets go", async () => {
  const log: string[] = [];
  const stuck = { [Symbol.asyncDispose]: () => never };
  const { parts } = stopping({
    graceMs: 0,
    servers: [{ shutdown: () => never }],
    rest: [stuck],
  });
  parts.drain.add(work(undefined, () => log.push("interrupted")));
  strictEqual(await stop(parts), false);
  deepStrictEqual(log, ["interrupted"]);
});

Deno.test("stop() ends although something does not close well", async () => {
  const broken = {
    [Symbol.asyncDispose]: () => Promise.reject(new Error("it jams")),
  };
  strictEqual(await stop(stopping({ rest: [broken] }).parts), false);
});

Deno.test("hopeless() takes the longer half of those that are late, and never who fits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.nat(100), { nil: undefined })),
      fc.nat(100),
      (remaining, left) => {
        const works = remaining.map((ms) => work(ms));
        const gone = hopeless(works, left).map((one) => one.remainingMs()!);
        const late = remaining.filter((ms) => (ms ?? 0) > left) as number[];
        late.sort((a, b) => b - a);
        deepStrictEqual(gone, late.slice(0, Math.ceil(late.length / 2)));
      },
    ),
  );
});

const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1" };

async function alive(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/livez`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a server that is told to stop while its models load stops", async () => {
  const { url, process, drained } = spawnServer(env);
  await alive(url);
  process.kill("SIGTERM");
  strictEqual((await process.status).code, 0);
  await drained;
});

Deno.test("a server that is told to stop while its models are downloaded stops", async () => {
  using folder = temporaryFolder();
  const asked = Promise.withResolvers<void>();
  const leave = new AbortController();
  const hub = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    signal: leave.signal,
  }, () => {
    asked.resolve();
    return never;
  });
  const { url, process, readyLine, drained } = spawnServer({
    MODEL: "org/tiny",
    HF_ENDPOINT: `http://127.0.0.1:${hub.addr.port}`,
    HF_HUB_CACHE: folder.path,
    MODEL_CACHE: folder.path,
  });
  await asked.promise;
  // Models are asked for before it listens.
  await alive(url);
  process.kill("SIGTERM");
  strictEqual((await process.status).code, 0);
  strictEqual(await readyLine, undefined);
  await drained;
  leave.abort();
  await hub.finished;
});

Deno.test("a server that is told to stop before it listens ends as any program", async () => {
  const { process, readyLine, drained } = spawnServer(env);
  process.kill("SIGTERM");
  strictEqual((await process.status).signal, "SIGTERM");
  strictEqual(await readyLine, undefined);
  await drained;
});

Deno.test("a second signal ends a server at once, as the signal would have", async () => {
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    const { process, readyLine, drained, url } = spawnServer({
      ...env,
      SHUTDOWN_DELAY_S: "600",
    });
    ok(await readyLine);
    process.kill(signal);
    for (let status = 200; status === 200;) {
      const response = await fetch(`${url}/readyz`);
      await response.body?.cancel();
      ({ status } = response);
    }
    process.kill(signal);
    strictEqual((await process.status).code, code);
    await drained;
  }
});
