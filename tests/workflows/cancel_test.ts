/**
 * The laws of canceled chains on a real Restate server: no job of theirs is left
 * at the server, at whatever moment they are canceled.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type Behavior,
  emulateEmu3,
} from "../deploy/workflows/emulated_emu3.ts";
import { until } from "../support/until.ts";
import { ChainClient } from "./chains/chain_client.ts";
import { startChains } from "./chains/restate_server.ts";
import { startStack } from "./harness/stack.ts";
import { CANCEL_CASES } from "./trials/cancel_cases.ts";
import { Ingress } from "./trials/ingress.ts";
import { JobClient } from "../support/job_client.ts";

const NEVER = new Promise<void>(() => {});
const INPUT = { prompt: "a cat", seed: 1 };

/** Returns a behavior that holds requests of one path until they are released. */
function holding(path: string) {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const behavior: Behavior = {
    drawing: () => NEVER,
    intercept: async (sent) => {
      if (sent !== path) return undefined;
      held.resolve();
      await released.promise;
      return undefined;
    },
  };
  return { behavior, held: held.promise, release: released.resolve };
}

Deno.test("a chain that is canceled before its job has an answer cancels the job", async () => {
  const { behavior, held, release } = holding("POST /v1/generate");
  await using emu3 = emulateEmu3(behavior);
  await using chains = await startChains({ url: emu3.url });
  const chain = new ChainClient(chains, "draw", "a");
  await chain.start(INPUT);
  await held;
  await chain.cancel();
  await until(() => emu3.requests.length === 2);
  release();
  strictEqual((await chain.attach()).status, 409);
  deepStrictEqual([...emu3.canceled], ["draw/a/draw"]);
  strictEqual((await chain.status())?.status, "canceled");
});

Deno.test("a chain that is canceled again while it cancels its job still cancels it", async () => {
  const { behavior, held, release } = holding(
    "DELETE /v1/jobs/draw%2Fa%2Fdraw",
  );
  await using emu3 = emulateEmu3(behavior);
  await using chains = await startChains({ url: emu3.url });
  const chain = new ChainClient(chains, "draw", "a");
  await chain.start(INPUT);
  await until(() => emu3.drawn.size === 1);
  await chain.cancel();
  await held;
  await chain.cancel();
  await until(() =>
    emu3.requests.filter(({ path }) => path.startsWith("DELETE")).length === 2
  );
  release();
  strictEqual((await chain.attach()).status, 409);
  deepStrictEqual([...emu3.canceled], ["draw/a/draw"]);
});

Deno.test("a chain that is canceled while it waits for the server submits nothing", async () => {
  await using emu3 = emulateEmu3({
    intercept: () =>
      Response.json({ status: 503, retryable: true }, {
        status: 503,
        headers: { "retry-after": "3600" },
      }),
  });
  await using chains = await startChains({ url: emu3.url });
  const chain = new ChainClient(chains, "draw", "a");
  await chain.start(INPUT);
  await until(async () =>
    (await chain.status())?.steps[0]?.status === "waiting"
  );
  await chain.cancel();
  strictEqual((await chain.attach()).status, 409);
  strictEqual(emu3.requests.length, 1);
});

Deno.test("the model stops for a canceled chain of every kind", async (t) => {
  await using stack = await startStack({ mini: true });
  const ingress = new Ingress(stack.ingress);
  const jobs = new JobClient((path, init) =>
    fetch(`${stack.emu3.url}${path}`, init)
  );
  /** Returns the number of jobs that draw. */
  const drawing = async () =>
    (await jobs.list()).filter(({ status, progress }) =>
      status === "running" && progress.done > 0
    ).length;
  /**
   * Checks that nothing is left of a canceled chain. Its children end after it,
   * and each cancels its own jobs, those that a dead server interrupted, too.
   */
  const checkStopped = async () => {
    const statuses = async () =>
      new Set((await jobs.list()).map(({ status }) => status));
    await until(async () => {
      const left = await statuses();
      return !["queued", "running", "interrupted"].some((status) =>
        left.has(status)
      );
    });
    const ended = await statuses();
    ended.delete("succeeded");
    deepStrictEqual([...ended], ["canceled"]);
    const metrics = await (await fetch(`${stack.emu3.url}/metrics`)).text();
    for (const name of ["emu3_requests_running", "emu3_queue_depth"]) {
      deepStrictEqual(metricOf(metrics, name), [0], name);
    }
  };
  for (const { chain, input, jobs: count } of CANCEL_CASES) {
    await t.step(chain, async () => {
      const id = { chain, key: "a" };
      await ingress.start(id, input);
      await until(async () => await drawing() === count);
      await ingress.call(id, "cancel");
      const end = await ingress.end(id);
      strictEqual(end.type === "error" && end.code, 409);
      await checkStopped();
    });
  }
  for (const dead of ["service", "restate", "emu3"] as const) {
    await t.step(`while ${dead} is dead`, async () => {
      const { chain, input, jobs: count } = CANCEL_CASES.at(-1)!;
      const id = { chain, key: dead };
      await ingress.start(id, input);
      await until(async () => await drawing() === count);
      await stack[dead].kill();
      const canceled = ingress.call(id, "cancel");
      await stack[dead].start();
      await canceled;
      const end = await ingress.end(id);
      strictEqual(end.type === "error" && end.code, 409);
      await checkStopped();
    });
  }
});

/** Returns the values of a metric. */
function metricOf(text: string, name: string): number[] {
  return [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, "gm"))]
    .map(([, value]) => Number(value));
}
