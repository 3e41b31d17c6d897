/** The shutdown of requests that a test controls. */

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
import { until } from "../../support/until.ts";

/** Returns a request that records its interruption. */
function work(remainingMs?: number, onInterrupt = () => {}): ResumableRequest {
  return { remainingMs: () => remainingMs, interrupt: onInterrupt };
}

const never = new Promise<never>(() => {});

/** Returns the parts to stop, all empty. */
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
  // Only these members of jobs are called.
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

Deno.test("stop() refuses at once, waits for running requests, then closes from the outside in", async () => {
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

Deno.test("stop() interrupts at once requests that cannot finish in time, and waits for the others", async () => {
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

Deno.test("stop() interrupts all requests after the grace, and ends even if none stops", async () => {
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

Deno.test("stop() ends even if a part does not close well", async () => {
  const broken = {
    [Symbol.asyncDispose]: () => Promise.reject(new Error("it jams")),
  };
  strictEqual(await stop(stopping({ rest: [broken] }).parts), false);
});

Deno.test("hopeless() returns the longer half of late requests, and never one that fits", () => {
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
  await until(async () => {
    const response = await fetch(`${url}/livez`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok === true;
  });
}

Deno.test("main stops on a signal while its models load", async () => {
  const { url, process, drained } = spawnServer(env);
  await alive(url);
  process.kill("SIGTERM");
  strictEqual((await process.status).code, 0);
  await drained;
});

Deno.test("main stops on a signal while its models are downloaded", async () => {
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
  // Models are downloaded before it listens.
  await alive(url);
  process.kill("SIGTERM");
  strictEqual((await process.status).code, 0);
  strictEqual(await readyLine, undefined);
  await drained;
  leave.abort();
  await hub.finished;
});

Deno.test("main ends by a signal before it listens, like any program", async () => {
  const { process, readyLine, drained } = spawnServer(env);
  process.kill("SIGTERM");
  strictEqual((await process.status).signal, "SIGTERM");
  strictEqual(await readyLine, undefined);
  await drained;
});

Deno.test("main ends immediately on a second signal, with the code of that signal", async () => {
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
