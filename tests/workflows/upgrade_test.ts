/**
 * The laws of upgrades: a chain that one version of the service started ends on
 * the next one at the same address.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { until } from "../support/until.ts";
import { type Stack, startStack } from "./harness/stack.ts";
import { Ingress } from "./trials/ingress.ts";
import type { Change } from "./trials/next_service.ts";

const INPUT = { prompt: "a rocket above a tree", seed: 11 };
const RUNNING = { chain: "imagine", key: "running" };
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const NEXT = new URL("trials/next_service.ts", import.meta.url).pathname;

/** Starts the next version at the address of the service, which has ended. */
function startNext({ service, emu3 }: Stack, change: Change): AsyncDisposable {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", `--config=${CONFIG}`, NEXT],
    env: {
      PORT: new URL(service.url).port,
      EMU3_URL: emu3.url,
      CHANGE: change,
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}

/** Starts `imagine` on the present version, and ends that in mid-picture. */
async function interruptedStack(): Promise<Stack> {
  const stack = await startStack({ emu3Env: { STUB_MS: "1500" } });
  await new Ingress(stack.ingress).start(RUNNING, INPUT);
  await until(() => stack.events().some(({ event }) => event === "draw"));
  await stack.service.kill();
  return stack;
}

/** Returns the names of the steps of a chain. */
async function stepsOf(ingress: Ingress, key: string): Promise<string[]> {
  const id = { chain: "imagine", key };
  const { steps } = await ingress.call<{ steps: { name: string }[] }>(
    id,
    "status",
  );
  return steps.map(({ name }) => name);
}

/** Returns the number of drawings that a chain began. */
function drawingsOf({ events }: Stack, key: string): number {
  return events().filter(({ event, key: name }) =>
    event === "draw" && name === `imagine/${key}/draw`
  ).length;
}

const STEPS = ["draw", "caption", "score"];

for (
  const { change, running, started } of [
    {
      change: "added",
      running: [...STEPS, "further"],
      started: [...STEPS, "further"],
    },
    { change: "versioned", running: STEPS, started: ["further", ...STEPS] },
  ] as const
) {
  Deno.test(`a running chain ends on the next version: a step is ${change}`, async () => {
    await using stack = await interruptedStack();
    await using _ = startNext(stack, change);
    const ingress = new Ingress(stack.ingress);
    strictEqual((await ingress.end(RUNNING)).type, "output");
    deepStrictEqual(await stepsOf(ingress, "running"), running);
    strictEqual(drawingsOf(stack, "running"), 1);
    const id = { chain: "imagine", key: "started" };
    await ingress.start(id, INPUT);
    strictEqual((await ingress.end(id)).type, "output");
    deepStrictEqual(await stepsOf(ingress, "started"), started);
  });
}

/** Resolves with the invocation of a running chain that does not fit. */
async function mismatch({ admin }: Stack): Promise<string> {
  let invocation = "";
  await until(async () => {
    const [row] = await admin.query(
      "select id, last_failure from sys_invocation where target_handler_name = 'run'",
      new AbortController().signal,
    );
    invocation = `${row?.["id"]}`;
    return /journal mismatch/i.test(`${row?.["last_failure"]}`);
  });
  return invocation;
}

Deno.test("a running chain waits if its steps moved, with the reason, and ends once they are back", async () => {
  await using stack = await interruptedStack();
  const ingress = new Ingress(stack.ingress);
  {
    await using _ = startNext(stack, "moved");
    await mismatch(stack);
  }
  await stack.service.start();
  strictEqual((await ingress.end(RUNNING)).type, "output");
  deepStrictEqual(await stepsOf(ingress, "running"), STEPS);
  strictEqual(drawingsOf(stack, "running"), 1);
});

Deno.test("a running chain that no version fits is ended by Restate", async () => {
  await using stack = await interruptedStack();
  await using _ = startNext(stack, "moved");
  const invocation = await mismatch(stack);
  const url = `${stack.restate.url}/invocations/${invocation}/kill`;
  const killed = await fetch(url, { method: "PATCH" });
  strictEqual(killed.ok, true, await killed.text());
  strictEqual((await new Ingress(stack.ingress).end(RUNNING)).type, "error");
});
