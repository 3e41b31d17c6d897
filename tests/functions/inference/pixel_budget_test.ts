import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import {
  defaultMaxPixels,
  pixelBudget,
  pixelBudgetBytes,
} from "../../../functions/inference/pixel_budget.ts";
import { Budget } from "../../../lib/async/budget.ts";
import type { PictureCodec } from "../../../lib/image/picture_codec.ts";
import { plainGif, plainPng } from "../../support/bombs.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json, openTinyServer } from "../../support/tiny_server.ts";
import { until } from "../../support/until.ts";

const functions = new Set(["tokenize", "detokenize"] as const);

const picture = (
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  signal?: AbortSignal,
) => ({
  method: "POST",
  body: bytes,
  headers: { "content-type": type },
  ...(signal && { signal }),
});

async function codeOf(answer: Response | Promise<Response>): Promise<string> {
  return (await (await answer).json()).error.code;
}

Deno.test("POST /v1/tokenize accepts frames up to its limit", async () => {
  await using server = await openTinyServer({ functions });
  const gif = plainGif({ height: 8, width: 8 }, 1000);
  const answer = await server.app.request(
    "/v1/tokenize",
    picture(gif, "image/gif"),
  );
  strictEqual(answer.status, 413);
  match((await answer.json()).detail, /1000 frames .* 256/);
  strictEqual(server.services.pixels.held, 0);
});

Deno.test("POST /v1/tokenize counts the pixels of encoded frames", async () => {
  const limits = { maxBodyBytes: 2 ** 20, maxPixels: 5000 };
  await using server = await openTinyServer({ functions, limits });
  // 2,048 pixels as sent, 8,192 as encoded.
  const gif = plainGif({ height: 16, width: 16 }, 8);
  const { checkpoint } = server.services.vision(undefined);
  strictEqual(checkpoint.preprocessor.minPixels, 1024);
  const answer = await server.app.request(
    "/v1/tokenize",
    picture(gif, "image/gif"),
  );
  strictEqual(answer.status, 413);
  match((await answer.json()).detail, /8 frames have 8192 pixels .* 5000/);
});

Deno.test("POST /v1/tokenize waits for pixels, refuses with Retry-After, and releases all", async () => {
  let most = 0;
  let decoding = 0;
  const pixels = new Budget({
    total: 5 * 2 ** 20,
    maxWaiting: 2,
    now: () => performance.now(),
  });
  const services = fakeServices(runAtOnce);
  const released = Promise.withResolvers<void>();
  const codec: PictureCodec = {
    ...services.codec,
    decodeImage: async (...args) => {
      most = Math.max(most, pixels.held);
      decoding++;
      await released.promise;
      return await services.codec.decodeImage(...args);
    },
  };
  const options = { ...appOptions({ maxRequests: 99 }).options, functions };
  const app = createApp({ ...services, codec, pixels }, options);
  const png = await plainPng(64, 64);
  const leave = new AbortController();
  const ask = (signal?: AbortSignal) =>
    app.request("/v1/tokenize", picture(png, "image/png", signal));
  // Two are decoded, two of the caller wait, and one more is admitted.
  const answers: Promise<Response>[] = [];
  for (const signal of [undefined, undefined, undefined, leave.signal]) {
    answers.push(Promise.resolve(ask(signal)));
    // In this order, whatever the duration of their bodies.
    await until(() => decoding + pixels.waiting >= answers.length);
  }
  const refused = await ask();
  strictEqual(refused.status, 503);
  match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
  deepStrictEqual((await refused.json()).retryable, true);
  leave.abort();
  strictEqual(await codeOf(answers[3]!), "client-gone");
  strictEqual(pixels.waiting, 1);
  released.resolve();
  for (const answer of answers.slice(0, 3)) {
    strictEqual((await answer).status, 200);
  }
  ok(most <= pixels.total);
  deepStrictEqual([pixels.held, pixels.waiting], [0, 0]);
});

Deno.test("POST /v1/tokenize cancels decoding when its client leaves", async () => {
  await using server = await openTinyServer({
    functions,
    limits: { maxBodyBytes: 2 ** 24, maxPixels: 2 ** 26 },
  });
  const png = await plainPng(6000, 6000);
  const leave = new AbortController();
  const asked = server.app.request(
    "/v1/tokenize",
    picture(png, "image/png", leave.signal),
  );
  await until(() => server.services.pixels.held > 0);
  leave.abort();
  strictEqual(await codeOf(asked), "client-gone");
  strictEqual(server.services.pixels.held, 0);
});

Deno.test("POST /v1/detokenize releases the pixels of its pictures", async () => {
  await using server = await openTinyServer({ functions });
  const grid = { codes: [[1, 2], [3, 4]] };
  for (const accept of ["image/png", "image/jpeg", "application/json"]) {
    const answer = await server.app.request(
      "/v1/detokenize",
      json({ grid }, { accept }),
    );
    strictEqual(answer.status, 200);
  }
  strictEqual(server.services.pixels.held, 0);
});

Deno.test("pixelBudgetBytes() has room for the largest picture with any settings", () => {
  const limits = { maxPixels: 1000 };
  const options = { memoryBytes: 8e6, queueLimit: 1, limits };
  const bytes = (pixelBytes: number | undefined, memoryBytes = 8e6) =>
    pixelBudgetBytes({ ...options, pixelBytes, memoryBytes });
  strictEqual(bytes(undefined), 1e6);
  strictEqual(bytes(5e6), 5e6);
  ok(bytes(1) >= 28 * 1000);
  strictEqual(bytes(undefined, 8), bytes(1));
});

Deno.test("POST /v1/tokenize answers a small picture while large ones wait for memory", async () => {
  const services = fakeServices(runAtOnce);
  const pixels = pixelBudget({
    pixelBytes: 1,
    memoryBytes: 0,
    queueLimit: 9,
    limits: { maxPixels: 2_000_000 },
  });
  const released = Promise.withResolvers<void>();
  const codec: PictureCodec = {
    ...services.codec,
    decodeImage: async (bytes, options, call) => {
      if (bytes.length === large.length) await released.promise;
      return await services.codec.decodeImage(bytes, options, call);
    },
  };
  const limits = { maxBodyBytes: 2 ** 24, maxPixels: 4_000_000 };
  const app = createApp({ ...services, codec, pixels, limits }, {
    ...appOptions({ maxRequests: 99 }).options,
    functions,
  });
  const large = await plainPng(2000, 2000);
  const small = await plainPng(64, 64);
  const ask = (png: Uint8Array<ArrayBuffer>) =>
    app.request("/v1/tokenize", picture(png, "image/png"));
  const waiting = [ask(large), ask(large), ask(large)];
  await until(() => pixels.waiting >= 2);
  strictEqual((await ask(small)).status, 200);
  strictEqual(pixels.waiting, 2);
  released.resolve();
  for (const answer of waiting) strictEqual((await answer).status, 200);
  strictEqual(pixels.held, 0);
});

Deno.test("defaultMaxPixels() leaves half of the memory beside the largest picture", () => {
  strictEqual(defaultMaxPixels(2 ** 36), 64_000_000);
  for (const memoryBytes of [2 ** 29, 2 ** 30, 2 ** 31]) {
    const limits = { maxPixels: defaultMaxPixels(memoryBytes) };
    const options = { pixelBytes: undefined, queueLimit: 1, limits };
    const budget = pixelBudgetBytes({ ...options, memoryBytes });
    ok(budget <= memoryBytes / 2 && budget > memoryBytes / 2 - 100);
  }
});
