/**
 * Laws of the chains on a real Restate server, with emulated endpoints.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { emulatedGrid } from "../deploy/workflows/emulated_emu3.ts";
import { until } from "../support/until.ts";
import { ChainClient } from "./chains/chain_client.ts";
import { emulatedChains } from "./chains/emulated_chains.ts";

Deno.test("draw scores and captions on request, and leaves codes out", async () => {
  await using at = await emulatedChains();
  const chain = new ChainClient(at.chains, "draw", "one");
  const input = { prompt: "a cat", seed: 3, score: true, caption: true };
  deepStrictEqual(await chain.run({ ...input, codes: false }), {
    status: 200,
    body: {
      picture: { seed: 3 },
      score: { logprob: -1, gain: 0 },
      caption: "a picture",
    },
  });
  deepStrictEqual(await chain.grids(["draw", "other"]), {
    draw: emulatedGrid(3),
  });
});

Deno.test("best_of draws every seed once, and ranks by the captions", async () => {
  await using at = await emulatedChains({
    caption: ({ grid }) => {
      const { codes: [[first]] } = grid as { codes: [[number]] };
      return first === 16 * 6 ? "a red cat" : "a dog";
    },
  });
  const chain = new ChainClient(at.chains, "best_of", "one");
  const { status, body } = await chain.run({
    prompt: "a red cat",
    n: 4,
    seed: 5,
  });
  strictEqual(status, 200);
  strictEqual(body["best"], 1);
  const pictures = body["pictures"] as { seed: number; named: number }[];
  deepStrictEqual(pictures.map(({ seed }) => seed), [5, 6, 7, 8]);
  deepStrictEqual(pictures.map(({ named }) => named), [0, 1, 0, 0]);
  deepStrictEqual([...at.emu3.drawn.values()], [1, 1, 1, 1]);
  deepStrictEqual(await chain.grids(["draw.2"]), { "draw.2": emulatedGrid(7) });
});

Deno.test("best_of ends with the problem of a refused picture, and cancels the others", async () => {
  const problem = { status: 422, title: "Invalid fields", detail: "/ratio" };
  await using at = await emulatedChains({
    drawing: () => new Promise(() => {}),
    intercept: async (path, { seed }) => {
      if (path !== "POST /v1/generate" || seed !== 2) return undefined;
      await until(() => at.emu3.drawn.size === 2);
      return Response.json(problem, { status: 422 });
    },
  });
  const chain = new ChainClient(at.chains, "best_of", "one");
  const { status } = await chain.run({ prompt: "a cat", n: 3, seed: 0 });
  strictEqual(status, 422);
  await until(() => at.emu3.canceled.size === 2);
  const shown = await chain.status();
  deepStrictEqual(shown?.problem, { ...problem, step: "draw.2" });
});

Deno.test("a canceled best_of cancels the jobs of all pictures", async () => {
  await using at = await emulatedChains({
    drawing: () => new Promise(() => {}),
  });
  const chain = new ChainClient(at.chains, "best_of", "one");
  await chain.start({ prompt: "a cat", n: 3, seed: 0 });
  await until(() => at.emu3.drawn.size === 3);
  await chain.cancel();
  await until(() => at.emu3.canceled.size === 3);
  strictEqual((await chain.attach()).status, 409);
  await until(async () => (await chain.status())?.status === "canceled");
});

Deno.test("refine draws again from the last good row until the answer is accepted", async () => {
  await using at = await emulatedChains({
    caption: ({ grid }) => {
      const { codes } = grid as { codes: number[][] };
      return codes[3]![0] === emulatedGrid(11).codes[3]![0] ? "Red." : "Blue.";
    },
    score: ({ prompt }) => ({
      logprob_per_token: -1,
      rows: prompt === "a ball" ? [-4, -4, -4, -4] : [-4, -4, -9, -4],
    }),
  });
  const chain = new ChainClient(at.chains, "refine", "one");
  const { status, body } = await chain.run({
    prompt: "a ball",
    seed: 10,
    questions: [{
      question: "What color is the ball?",
      expect: ["red"],
      amend: "the ball is red",
    }],
  });
  strictEqual(status, 200);
  strictEqual(body["satisfied"], true);
  const rounds = body["rounds"] as { prompt: string; kept: number }[];
  deepStrictEqual(
    rounds.map(({ prompt, kept }) => ({ prompt, kept })),
    [
      { prompt: "a ball", kept: 0 },
      { prompt: "a ball, the ball is red", kept: 2 },
    ],
  );
  const rows = emulatedGrid(10).codes.slice(0, 2);
  deepStrictEqual(body["picture"], { seed: 11, grid: emulatedGrid(11, rows) });
});

Deno.test("refine ends after its rounds with the answers of each", async () => {
  await using at = await emulatedChains({ caption: () => "Blue." });
  const chain = new ChainClient(at.chains, "refine", "one");
  const question = { question: "What color is it?", expect: ["red"] };
  const { body } = await chain.run({
    prompt: "a ball",
    questions: [question],
    rounds: 2,
  });
  strictEqual(body["satisfied"], false);
  strictEqual((body["rounds"] as unknown[]).length, 2);
  strictEqual(at.emu3.drawn.size, 2);
});

Deno.test("remix draws the caption of codes and of an address, and keeps rows", async () => {
  await using at = await emulatedChains({ caption: () => "a house" });
  const codes = new ChainClient(at.chains, "remix", "codes");
  const source = emulatedGrid(1);
  const { body } = await codes.run({
    grid: source,
    style: "at night",
    keep: 1,
    seed: 2,
  });
  strictEqual(body["prompt"], "a house, at night");
  deepStrictEqual(await codes.grids(["source"]), { source });
  const sent = at.emu3.requests.find(({ path }) =>
    path === "POST /v1/generate"
  );
  deepStrictEqual(sent?.body["keep"], {
    codes: [source.codes[0], ...Array(3).fill(Array(4).fill(null))],
  });
  const address = new ChainClient(at.chains, "remix", "address");
  const url = "https://example.org/house.png";
  strictEqual((await address.run({ image_url: url })).status, 200);
  const [encoded] = at.emu3.requests.filter(({ path }) =>
    path === "POST /v1/tokenize"
  );
  deepStrictEqual(encoded?.body, { image: url });
  const both = new ChainClient(at.chains, "remix", "both");
  strictEqual((await both.run({ grid: source, image_url: url })).status, 422);
  const neither = new ChainClient(at.chains, "remix", "neither");
  strictEqual((await neither.run({})).status, 422);
});

Deno.test("album draws a few prompts at a time, and a failed one does not end it", async () => {
  await using at = await emulatedChains({
    drawing: () => new Promise((resolve) => setTimeout(resolve, 50)),
    intercept: (_, { prompt }) =>
      prompt === "bad"
        ? Response.json({ status: 422, detail: "no" }, { status: 422 })
        : undefined,
  });
  const chain = new ChainClient(at.chains, "album", "one");
  const prompts = Array.from({ length: 40 }, (_, i) => `picture ${i}`);
  const { status, body } = await chain.run({
    prompts: [...prompts.slice(1), { prompt: "bad", seed: 9 }],
    concurrency: 3,
    seed: 100,
  });
  strictEqual(status, 200);
  strictEqual(body["done"], 39);
  strictEqual(body["failed"], 1);
  const pictures = body["pictures"] as Record<string, unknown>[];
  deepStrictEqual(pictures[0], {
    prompt: "picture 1",
    seed: 100,
    grid: "draw.0",
  });
  deepStrictEqual(pictures[39], {
    prompt: "bad",
    problem: { status: 422, detail: "no", step: "draw" },
  });
  ok(at.emu3.peak() <= 3, `${at.emu3.peak()} at once`);
  ok([...at.emu3.drawn.values()].every((count) => count === 1));
  deepStrictEqual(await chain.grids(["draw.0", "draw.38", "draw.39"]), {
    "draw.0": emulatedGrid(100),
    "draw.38": emulatedGrid(138),
  });
  const shown = await chain.status();
  deepStrictEqual(shown?.progress, { done: 39, failed: 1, total: 40 });
  strictEqual(shown?.steps.length, 40);
});

Deno.test("an album goes on in the order of its journal after restarts of Restate", async () => {
  await using at = await emulatedChains({
    drawing: ({ seed }) => {
      const ms = 10 + (7919 * Number(seed)) % 90;
      return new Promise((resolve) => setTimeout(resolve, ms));
    },
  });
  const chain = new ChainClient(at.chains, "album", "one");
  const prompts = Array.from({ length: 24 }, (_, i) => `picture ${i}`);
  await chain.start({ prompts, concurrency: 6, seed: 1 });
  for (const done of [6, 14]) {
    await until(async () => {
      const progress = (await chain.status())?.progress;
      return progress !== undefined && progress.done >= done;
    });
    await at.chains.restart();
  }
  const { status, body } = await chain.attach();
  strictEqual(status, 200);
  strictEqual(body["done"], 24);
  deepStrictEqual([...at.emu3.drawn.values()], Array(24).fill(1));
});
