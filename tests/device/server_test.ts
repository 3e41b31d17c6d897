/**
 * The test of a server with models on a device, from a client's view.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { DEVICE, DEVICE_DTYPE } from "./devices.ts";

Deno.test("Server draws and captions on the device, and reports device and dtype", async () => {
  await using server = await openTinyServer({ device: DEVICE });
  const { app } = server;
  const { data } = await (await app.request("/v1/models")).json();
  strictEqual(data[0].device, DEVICE);
  strictEqual(data[0].precision, DEVICE === "cuda" ? "bf16" : "fp32");
  strictEqual(data[0].engine.cache.dtype, DEVICE_DTYPE);
  const body = { prompt: "a cat", height: 32, width: 32, seed: 1 };
  const drawn = await app.request(
    "/v1/generate",
    json(body, { accept: "image/png" }),
  );
  strictEqual(drawn.status, 200);
  const form = new FormData();
  form.set("image", new Blob([await drawn.bytes()]), "cat.png");
  form.set("max_tokens", "4");
  const answered = await app.request("/v1/caption", {
    method: "POST",
    body: form,
  });
  strictEqual(answered.status, 200);
  ok((await answered.json()).usage.prompt_tokens > 0);
});
