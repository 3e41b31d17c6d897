/** The laws of inputs of chains: what is refused, and pictures as codes. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Json } from "../../support/described.ts";
import { sourcePicture } from "../../support/odd_pictures.ts";
import { bytes, json } from "../../support/tiny_server.ts";
import {
  describedWorkflows,
  openWorkflowApp,
} from "../../support/workflow_app.ts";

const { check } = await describedWorkflows();

const ASYNC = { prefer: "respond-async" };
const GRID = { codes: [[1, 2], [3, 4]] };
const PICTURE = sourcePicture("baseline_444.jpg").toBase64();

Deno.test("an invalid input is refused with its fields, and starts nothing", async () => {
  await using server = openWorkflowApp();
  const cases = [
    ["imagine", {}, "/prompt", /required/],
    ["imagine", { prompt: 1 }, "/prompt", /expected string/],
    ["imagine", { promt: "a", prompt: "a" }, "/promt", /did you mean prompt/],
    ["imagine", { prompt: "a", seed: 0.5 }, "/seed", /whole number/],
    ["remix", {}, "/image", /required unless grid/],
    ["remix", { image: PICTURE, grid: GRID }, "/image", /exactly one/],
    [
      "remix",
      { image: PICTURE, image_url: "https://a" },
      "/image",
      /exactly one/,
    ],
    ["remix", { image: "&" }, "/image", /data URL/],
    ["remix", { image_url: "https://a/b" }, "/image_url", /ALLOW_URL_INPUTS/],
    [
      "remix",
      { grid: { codes: [[1], [2, 3]] } },
      "/grid/codes/1",
      /expected 1/,
    ],
    ["remix", { grid: { codes: [[-1]] } }, "/grid/codes/0/0", /0 or more/],
    ["album", { prompts: [] }, "/prompts", /1 or more/],
  ] as const;
  for (const [chain, body, pointer, detail] of cases) {
    const path = `/v1/workflows/${chain}`;
    const answer = await server.app.request(path, json(body));
    strictEqual(answer.status, 422, JSON.stringify(body));
    const { errors: [error] } = await answer.clone().json();
    strictEqual(error.pointer, pointer);
    match(error.detail, detail);
    await check("POST", path, answer);
  }
  strictEqual(server.ingress.requests.length, 0);
});

Deno.test("a body that is no JSON is refused as elsewhere", async () => {
  await using server = openWorkflowApp();
  const path = "/v1/workflows/imagine";
  const cases = [
    [bytes("{", "application/json"), 400],
    [bytes("[]", "application/json"), 422],
    [bytes("a", "text/plain"), 415],
  ] as const;
  for (const [init, status] of cases) {
    const answer = await server.app.request(path, init);
    strictEqual(answer.status, status);
  }
});

Deno.test("a body with many faults is refused at the first one", async () => {
  await using server = openWorkflowApp();
  const prompts = Array(100_000).fill(1);
  const answer = await server.app.request(
    "/v1/workflows/album",
    json({ prompts }),
  );
  strictEqual(answer.status, 422);
  strictEqual((await answer.json()).errors.length, 1);
});

Deno.test("an image reaches the engine as codes", async () => {
  await using server = openWorkflowApp();
  const inputs: Json[] = [];
  for (const body of [{ image: PICTURE }, { grid: GRID }]) {
    const fields = { ...body, style: "in blue", model: "fake" };
    const answer = await server.app.request(
      "/v1/workflows/remix",
      json(fields, ASYNC),
    );
    strictEqual(answer.status, 202);
    const input: Json = [...server.ingress.workflows.values()].at(-1)!.input;
    ok(!("image" in input));
    strictEqual(input.style, "in blue");
    inputs.push(input);
  }
  const [encoded, given] = inputs;
  strictEqual(encoded.grid.codes.length, encoded.grid.height);
  deepStrictEqual(given.grid, { height: 2, width: 2, ...GRID });
});

Deno.test("an image that cannot be encoded is refused", async () => {
  await using server = openWorkflowApp();
  const image = new Uint8Array(8).toBase64();
  const answer = await server.app.request(
    "/v1/workflows/remix",
    json({ image }),
  );
  strictEqual(answer.status, 415);
  strictEqual(server.ingress.workflows.size, 0);
});
