/**
 * The laws of `/v1/workflows` on a real Restate server, with emulated
 * endpoints behind the service of chains.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import type { AppEnv } from "../../functions/http/context.ts";
import {
  type Behavior,
  type EmulatedEmu3,
  emulatedGrid,
  emulateEmu3,
} from "../deploy/workflows/emulated_emu3.ts";
import { fakeServices, runAtOnce } from "../support/fake_models.ts";
import { appOptions, json } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";
import { describedWorkflows } from "../support/workflow_app.ts";
import { startChains, type StartedChains } from "./chains/restate_server.ts";

const ASYNC = { prefer: "respond-async" };

const { check } = await describedWorkflows();

/** A server that forwards to a Restate server. */
interface Stage extends AsyncDisposable {
  readonly app: Hono<AppEnv>;
  readonly chains: StartedChains;
  readonly emu3: EmulatedEmu3;
}

async function stage(behavior: Behavior = {}): Promise<Stage> {
  const emu3 = emulateEmu3(behavior);
  const chains = await startChains({ url: emu3.url });
  const { options } = appOptions({
    workflows: { url: chains.ingress, token: undefined },
  });
  return {
    app: createApp(fakeServices(runAtOnce), options),
    chains,
    emu3,
    [Symbol.asyncDispose]: async () => {
      await chains[Symbol.asyncDispose]();
      await emu3[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a workflow is started once for a key, shown, and its pictures too", async () => {
  await using at = await stage();
  const path = "/v1/workflows/imagine";
  const body = { prompt: "a cat", seed: 3 };
  const key = { "idempotency-key": "one" };
  const answer = await at.app.request(path, json(body, key));
  strictEqual(answer.status, 200, await answer.clone().text());
  const { status, steps, output } = await answer.clone().json();
  deepStrictEqual(
    [status, output.picture],
    ["succeeded", { seed: 3, grid: emulatedGrid(3) }],
  );
  ok(steps.length >= 3);
  await check("POST", path, answer);
  const again = await at.app.request(path, json(body, { ...key, ...ASYNC }));
  const place = again.headers.get("location")!;
  strictEqual(place, answer.headers.get("location"));
  strictEqual((await again.json()).status, "succeeded");
  const shown = await at.app.request(place);
  deepStrictEqual((await shown.clone().json()).output, output);
  await check("GET", place, shown);
  const codes = await at.app.request(`${place}?grid=draw`);
  deepStrictEqual(await codes.json(), emulatedGrid(3));
  const page = await at.app.request(place, {
    headers: { accept: "text/html" },
  });
  match(await page.text(), /<h1>imagine<\/h1>[^]*<img src="data:image\/jpeg/);
});

Deno.test("an album shows its pictures by its own names", async () => {
  await using at = await stage();
  const path = "/v1/workflows/album";
  const body = { prompts: ["one", "two", "three"], seed: 5 };
  const answer = await at.app.request(path, json(body));
  strictEqual(answer.status, 200, await answer.clone().text());
  const { progress } = await answer.clone().json();
  deepStrictEqual(progress, { done: 3, failed: 0, total: 3 });
  await check("POST", path, answer);
  const place = answer.headers.get("location")!;
  const page = await at.app.request(place, {
    headers: { accept: "text/html" },
  });
  const text = await page.text();
  strictEqual(text.match(/<img /g)!.length, 3, text);
  for (const prompt of body.prompts) ok(text.includes(`alt="${prompt}"`));
});

Deno.test("DELETE ends a workflow and its job; unknown ones are 404", async () => {
  await using at = await stage({ drawing: () => new Promise(() => {}) });
  const path = "/v1/workflows/imagine";
  const started = await at.app.request(path, json({ prompt: "a" }, ASYNC));
  strictEqual(started.status, 202);
  await check("POST", path, started.clone());
  const place = started.headers.get("location")!;
  await until(() => at.emu3.drawn.size > 0);
  const answer = await at.app.request(place, { method: "DELETE" });
  strictEqual(at.emu3.canceled.size, 1);
  strictEqual((await answer.clone().json()).status, "canceled");
  await check("DELETE", place, answer);
  const other = place.replace(/\w{32}$/, "0".repeat(32));
  for (const method of ["GET", "DELETE"]) {
    const answer = await at.app.request(other, { method });
    strictEqual(answer.status, 404);
  }
});

Deno.test("a wait goes on over a kill of Restate", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using at = await stage({ drawing: () => promise });
  const path = "/v1/workflows/imagine";
  const waiting = at.app.request(path, json({ prompt: "a", seed: 1 }));
  await until(() => at.emu3.drawn.size > 0);
  await at.chains.restart();
  resolve();
  const answer = await waiting;
  strictEqual(answer.status, 200, await answer.clone().text());
  strictEqual((await answer.json()).output.picture.seed, 1);
});
