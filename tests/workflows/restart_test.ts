/**
 * The chain `imagine` on a real Restate server, over ends of each process.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { until } from "../support/until.ts";
import { type Stack, startStack } from "./harness/stack.ts";

const INPUT = { prompt: "a rocket above a tree", seed: 11 };

/** Milliseconds of a picture, for a kill in its middle. */
const SLOW = { emu3Env: { STUB_MS: "1000" } };

/** Starts `imagine`, and resolves once it draws. */
async function begin(stack: Stack): Promise<void> {
  const sent = await stack.post("imagine/a/run/send", INPUT);
  strictEqual(sent.status, 202, await sent.text());
  await until(() => stack.events().some(({ event }) => event === "draw"));
}

/** Returns the status of the chain's answer. */
async function outcome(stack: Stack): Promise<number> {
  const url = `${stack.ingress}/restate/workflow/imagine/a/attach`;
  const answer = await fetch(url);
  await answer.body?.cancel();
  return answer.status;
}

/** Returns the events of jobs. */
function drawings(stack: Stack): readonly string[] {
  return stack.events()
    .filter(({ event }) => !event.startsWith("/"))
    .map(({ event, key }) => `${event} ${key}`);
}

const ONCE = ["draw imagine/a/draw", "drawn imagine/a/draw"];

Deno.test("imagine succeeds, draws once, and is complete in Restate's tables", async () => {
  await using stack = await startStack();
  const answer = await stack.post("imagine/a/run", INPUT);
  const text = await answer.text();
  strictEqual(answer.status, 200, text);
  strictEqual(JSON.parse(text).picture.seed, 11);
  deepStrictEqual(drawings(stack), ONCE);
  const rows = await stack.admin.query(
    "select target, status from sys_invocation where target_handler_name = 'run'",
    new AbortController().signal,
  );
  deepStrictEqual(rows, [{ target: "imagine/a/run", status: "completed" }]);
  if (!stack.isolated) return;
  const hosts = await Deno.readTextFile(
    `/proc/${stack.restate.pid}/root/etc/hosts`,
  );
  ok(hosts.endsWith("127.0.0.1 api.github.com\n"), "its release check");
});

for (const part of ["service", "restate"] as const) {
  Deno.test(`a chain draws once, over a kill -9 of ${part} in mid-picture`, async () => {
    await using stack = await startStack(SLOW);
    await begin(stack);
    await stack[part].kill();
    await stack[part].start();
    strictEqual(await outcome(stack), 200);
    deepStrictEqual(drawings(stack), ONCE);
  });
}

Deno.test("a drawing is resumed, over a kill -9 of its server", async () => {
  await using stack = await startStack(SLOW);
  await begin(stack);
  await stack.emu3.kill();
  await stack.emu3.start();
  strictEqual(await outcome(stack), 200);
  deepStrictEqual(drawings(stack), [
    "draw imagine/a/draw",
    "resume imagine/a/draw",
    "drawn imagine/a/draw",
  ]);
});
