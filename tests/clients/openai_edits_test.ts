/**
 * Compatibility tests of OpenAI's own client, unmodified, against a running
 * server: edits and variations of pictures.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { toFile } from "openai";
import { maskPng } from "../support/masks.ts";
import { apiFailure, openaiClient } from "../support/openai.ts";
import { listenTiny } from "../support/tiny_http.ts";
import { until } from "../support/until.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = openaiClient(server.url);

const drawn = await client.images.generate({ prompt: "a house" });
const bytes = Uint8Array.fromBase64(drawn.data![0]!.b64_json!);
const holed = maskPng({ height: 64, width: 64 }, (y) => y < 32 ? 255 : 0);

const picture = () => toFile(bytes, "a.png", { type: "image/png" });
const mask = () => toFile(holed, "mask.png", { type: "image/png" });

Deno.test("openai: images.edit() redraws the masked part, of one picture or a list of one", async () => {
  const prompt = "a fox";
  const extra = { seed: 5 } as object;
  const one = await client.images.edit({
    image: await picture(),
    mask: await mask(),
    prompt,
    n: 1,
    size: "1024x1024",
    ...extra,
  });
  strictEqual(one.size as string, "64x64");
  ok(one.data![0]!.b64_json !== drawn.data![0]!.b64_json);
  const listed = await client.images.edit({
    image: [await picture()],
    mask: await mask(),
    prompt,
    ...extra,
  });
  deepStrictEqual(listed.data, one.data);
});

Deno.test("openai: images.edit() streams partial pictures and the final one", async () => {
  const stream = await client.images.edit({
    image: await picture(),
    mask: await mask(),
    prompt: "a fox",
    stream: true,
    partial_images: 1,
  });
  const events = await Array.fromAsync(stream);
  deepStrictEqual(events.map(({ type }) => type), [
    "image_edit.partial_image",
    "image_edit.completed",
  ]);
});

Deno.test("openai: images.edit() requires a mask", async () => {
  const error = await apiFailure(
    client.images.edit({ image: await picture(), prompt: "a fox" }),
  );
  deepStrictEqual([error.status, error.param], [422, "mask"]);
});

Deno.test("openai: images.createVariation() draws variations of a picture", async () => {
  const { data } = await client.images.createVariation({
    image: await picture(),
    n: 2,
  });
  strictEqual(data!.length, 2);
  ok(data!.every(({ b64_json: base64 }) => base64!.startsWith("iVBOR")));
});

Deno.test("openai: closing an edit stream stops the model", async () => {
  const abort = new AbortController();
  const edit = client.images.edit({
    image: await picture(),
    mask: await mask(),
    prompt: "a fox",
    n: 8,
  }, { signal: abort.signal });
  edit.catch(() => undefined);
  await server.busy();
  abort.abort();
  await server.idle();
  await until(() => server.trace.access.at(-1)?.status === 499);
  strictEqual(server.trace.access.at(-1)!.path, "/v1/images/edits");
  deepStrictEqual(server.trace.failures, []);
});
