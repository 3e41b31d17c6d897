/** The laws of query fields: they count with every kind of body. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { sourcePicture as file } from "../../support/odd_pictures.ts";
import { bytes, json, openTinyServer } from "../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const png = file("geo_tiny8_8x8.png");
const grid = { codes: [[1, 2]] };

/** Bodies of every kind that a function accepts, with a picture as only field. */
const bodies: [name: string, path: string, init: () => RequestInit][] = [
  ["JSON", "/v1/caption", () => json({ grid })],
  ["JSON", "/v1/tokenize", () => json({ image: png.toBase64() })],
  ["JSON", "/v1/detokenize", () => json({ grid })],
  ["a form", "/v1/caption", form],
  ["a form", "/v1/tokenize", form],
  ["a picture", "/v1/caption", () => bytes(png, "image/png")],
  ["a picture", "/v1/tokenize", () => bytes(png, "image/png")],
  ["bare codes", "/v1/caption", codes],
  ["bare codes", "/v1/detokenize", codes],
];

for (const [name, path, init] of bodies) {
  Deno.test(`${path} reads the query beside ${name}`, async () => {
    const status = async (query: string) => {
      const answer = await server.app.request(`${path}?${query}`, init());
      await answer.body?.cancel();
      return answer.status;
    };
    strictEqual(await status("model=emu3-tiny"), 200);
    strictEqual(await status("model=nobody"), 404);
    strictEqual(await status(`model=${"a".repeat(257)}`), 422);
    strictEqual(await status("model=emu3-tiny&model=emu3-tiny"), 422);
    strictEqual(await status("modle=emu3-tiny"), 422);
    strictEqual(await status("toString=1"), 422);
  });
}

Deno.test("withQuery() refuses a field in both query and body", async () => {
  const twice = async (init: RequestInit) => {
    const answer = await server.app.request("/v1/caption?seed=1", init);
    strictEqual(answer.status, 422);
    deepStrictEqual((await answer.json()).errors, [
      { pointer: "/seed", detail: "is given twice" },
    ]);
  };
  await twice(json({ grid, seed: 1 }));
  await twice(form({ seed: "1" }));
});

Deno.test("withQuery() does not turn a malformed body into a valid one", async () => {
  const answer = await server.app.request("/v1/caption?seed=1", json([]));
  strictEqual(answer.status, 422);
  strictEqual((await answer.json()).errors[0].pointer, "");
});

function form(fields: Readonly<Record<string, string>> = {}): RequestInit {
  const body = new FormData();
  body.set("image", new Blob([png]));
  for (const [name, text] of Object.entries(fields)) body.set(name, text);
  return { method: "POST", body };
}

function codes(): RequestInit {
  return bytes(Uint8Array.of(1, 0, 2, 0), "application/octet-stream", {
    "x-grid-height": "1",
    "x-grid-width": "2",
  });
}
