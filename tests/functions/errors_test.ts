/** The refusals: every mistake in a request, and its problem. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { pngHeader, sourcePicture as file } from "../support/odd_pictures.ts";
import { bytes, json, openTinyServer } from "../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

/** A request, and the problem of its answer. */
interface Refusal {
  readonly name: string;
  readonly path: string;
  readonly init: RequestInit;
  readonly status: number;
  readonly pointers?: readonly string[];
}

const generate = (
  name: string,
  body: unknown,
  status: number,
  ...pointers: string[]
): Refusal => ({
  name,
  path: "/v1/generate",
  init: json(body),
  status,
  pointers,
});

const raw = (
  name: string,
  path: string,
  init: RequestInit,
  status: number,
  ...pointers: string[]
): Refusal => ({ name, path, init, status, pointers });

const picture = (
  name: string,
  body: Uint8Array<ArrayBuffer>,
  status: number,
  type = "image/png",
): Refusal => raw(name, "/v1/tokenize", bytes(body, type), status);

const tokenize = (name: string, body: unknown, ...pointers: string[]) =>
  raw(name, "/v1/tokenize", json(body), 422, ...pointers);

const grid = (
  name: string,
  grid: unknown,
  status: number,
  ...pointers: string[]
) => raw(name, "/v1/detokenize", json({ grid }), status, ...pointers);

const sizes = { "x-grid-height": "2", "x-grid-width": "2" };
const plain = "application/octet-stream";
const png = file("geo_tiny8_8x8.png").toBase64();

const refusals: Refusal[] = [
  raw("no body", "/v1/generate", { method: "POST" }, 400),
  raw("an empty body", "/v1/generate", bytes("", "application/json"), 400),
  raw("no JSON", "/v1/generate", bytes("{a", "application/json"), 400),
  raw(
    "NaN",
    "/v1/generate",
    bytes('{"prompt":"a","temperature":NaN}', "application/json"),
    400,
  ),
  raw(
    "another encoding",
    "/v1/generate",
    bytes(Uint8Array.of(0xff, 0xfe, 0x7b, 0), "application/json"),
    400,
  ),
  raw(
    "an oversized body",
    "/v1/generate",
    json({ prompt: "a".repeat(2 ** 20) }),
    413,
  ),
  raw("a form", "/v1/generate", bytes("prompt=a", "text/plain"), 415),
  raw(
    "no type that it has",
    "/v1/generate",
    json({ prompt: "a" }, { accept: "image/avif" }),
    406,
  ),
  generate("an array", [], 422, ""),
  generate("no prompt", {}, 422, "/prompt"),
  generate("a prompt that is no text", { prompt: 1 }, 422, "/prompt"),
  generate("a long prompt", { prompt: "a".repeat(32_769) }, 422, "/prompt"),
  generate("an unknown field", { prompt: "a", promt: 1 }, 422, "/promt"),
  generate(
    "numbers out of range",
    {
      prompt: "a",
      "guidance_scale": 0.5,
      temperature: -1,
      "top_k": -1,
      "top_p": 1.5,
      seed: 2 ** 53,
      n: 9,
      logprobs: 9,
    },
    422,
    "/guidance_scale",
    "/temperature",
    "/top_k",
    "/top_p",
    "/seed",
    "/n",
    "/logprobs",
  ),
  raw(
    "a number beyond all bounds",
    "/v1/generate",
    bytes('{"prompt":"a","temperature":1e999}', "application/json"),
    422,
    "/temperature",
  ),
  generate("a null", { prompt: "a", seed: null }, 422, "/seed"),
  generate(
    "a strategy that is not here",
    {
      prompt: "a",
      strategy: "magic",
    },
    422,
    "/strategy",
  ),
  generate("no ratio", { prompt: "a", ratio: "16/9" }, 422, "/ratio"),
  generate("a ratio of zero", { prompt: "a", ratio: "0:1" }, 422, "/ratio"),
  generate("an extreme ratio", { prompt: "a", ratio: "1:9999" }, 422, "/ratio"),
  generate("half a size", { prompt: "a", height: 64 }, 422, "/width"),
  generate(
    "an odd height",
    { prompt: "a", height: 60, width: 64 },
    422,
    "/height",
  ),
  generate(
    "an odd width",
    { prompt: "a", height: 64, width: 60 },
    422,
    "/width",
  ),
  generate(
    "a size and a ratio",
    { prompt: "a", height: 64, width: 64, ratio: "1:1" },
    422,
    "/ratio",
  ),
  generate(
    "a picture longer than the context",
    { prompt: "a", height: 1024, width: 1024 },
    422,
    "/height",
  ),
  generate(
    "a prefix as long as the picture",
    { prompt: "a", height: 16, width: 16, prefix: { codes: [[1, 2], [3, 4]] } },
    422,
    "/prefix",
  ),
  generate(
    "a prefix of another width",
    { prompt: "a", height: 16, width: 16, prefix: { codes: [[1]] } },
    422,
    "/prefix",
  ),
  generate(
    "a prefix that is not in the codebook",
    { prompt: "a", height: 16, width: 16, prefix: { codes: [[1, 512]] } },
    422,
    "/prefix/codes/0/1",
  ),
  generate("an unknown model", { prompt: "a", model: "nobody" }, 404),
  raw(
    "two pictures in one file",
    "/v1/generate",
    json({ prompt: "a", n: 2 }, { accept: "image/png" }),
    422,
    "/n",
  ),

  raw("no picture", "/v1/caption", json({}), 422, "/image"),
  raw(
    "two ways of pictures",
    "/v1/caption",
    json({ image: png, grid: { codes: [[1]] } }),
    422,
    "/image",
  ),
  raw("no base64", "/v1/caption", json({ image: "%%%" }), 422, "/image"),
  raw(
    "a URL",
    "/v1/caption",
    json({ images: ["https://example.org/a.png"] }),
    422,
    "/images/0",
  ),
  raw(
    "max_tokens of zero",
    "/v1/caption",
    json({ image: png, "max_tokens": 0 }),
    422,
    "/max_tokens",
  ),
  raw(
    "an unknown query",
    "/v1/caption?q=1",
    bytes(file("geo_tiny8_8x8.png"), "image/png"),
    422,
    "/q",
  ),
  raw(
    "no form in it",
    "/v1/caption",
    bytes("x", "multipart/form-data; boundary=b"),
    400,
  ),
  raw(
    "a question longer than the context",
    "/v1/caption",
    json({ image: png, question: "a b ".repeat(5000) }),
    422,
    "",
  ),
  raw(
    "codes of a clip",
    "/v1/caption",
    bytes(new Uint8Array(8), plain, { ...sizes, "x-grid-frames": "1" }),
    422,
    "",
  ),

  picture("a truncated picture", file("err_truncated.png"), 415),
  picture("no picture at all", file("err_not_an_image.png"), 415),
  picture("an empty picture", new Uint8Array(), 400),
  picture("a BMP", file("bmp24.bmp"), 415, "image/bmp"),
  picture("a picture of 1×1", file("err_one_1x1.png"), 422),
  picture("a picture too narrow", file("err_too_small_7x40.png"), 422),
  picture("an extreme aspect", file("err_aspect_over_101x20.png"), 422),
  picture("a picture of 20000×20000", pngHeader(20_000, 20_000), 413),
  picture("a picture of 0×0", pngHeader(0, 0), 415),
  picture(
    "a type that is none of pictures",
    new Uint8Array(9),
    415,
    "text/plain",
  ),
  picture("no type", new Uint8Array(9), 415, ""),
  raw(
    "sides that are not whole in codes",
    "/v1/tokenize?resize=none",
    bytes(file("geo_tiny9x11_9x11.png"), "image/png"),
    422,
  ),
  raw(
    "an unknown vision model",
    "/v1/tokenize?model=nobody",
    bytes(file("geo_tiny8_8x8.png"), "image/png"),
    404,
  ),
  tokenize("nothing", {}, ""),
  tokenize("two things", { text: "a", prompt: { prompt: "a" } }, "/prompt"),
  tokenize("an option that does nothing", { text: "a", pad: "repeat" }, "/pad"),
  tokenize("no frames", { frames: [] }, "/frames"),
  tokenize("frames left over", { frames: [png] }, "/frames"),
  tokenize(
    "a prompt within that is wrong",
    { prompt: { prompt: 1 } },
    "/prompt/prompt",
  ),
  tokenize("a ratio within that is wrong", {
    prompt: { prompt: "a", ratio: "x" },
  }, "/prompt/ratio"),
  tokenize("a question about nothing", { question: "a" }, "/image"),

  grid("no codes", { codes: [] }, 422, "/grid/codes"),
  grid("an empty row", { codes: [[]] }, 422, "/grid/codes/0"),
  grid("ragged rows", { codes: [[1, 2], [3]] }, 422, "/grid/codes/1"),
  grid("a code out of range", { codes: [[1, 512]] }, 422, "/grid/codes/0/1"),
  grid("a negative code", { codes: [[-1]] }, 422, "/grid/codes/0/0"),
  grid("half a code", { codes: [[1.5]] }, 422, "/grid/codes/0/0"),
  grid(
    "a height that is wrong",
    { height: 2, codes: [[1]] },
    422,
    "/grid/height",
  ),
  grid("a huge grid", { codes: Array(180).fill(Array(180).fill(1)) }, 413),
  raw(
    "two kinds",
    "/v1/detokenize",
    json({ tokens: [], grid: { codes: [[1]] } }),
    422,
    "",
  ),
  raw(
    "frames of different size",
    "/v1/detokenize",
    json({ clip: { codes: [[[1]], [[1, 2]]] } }),
    422,
    "/clip/codes/1",
  ),
  raw(
    "a token that is none",
    "/v1/detokenize",
    json({ tokens: [1, 1747] }),
    422,
    "/tokens/1",
  ),
  raw(
    "a malformed picture in tokens",
    "/v1/detokenize",
    json({ tokens: [1233, 17, 9, 17, 1232, 1235] }),
    422,
  ),
  raw(
    "short bare codes",
    "/v1/detokenize",
    bytes(new Uint8Array(7), plain, sizes),
    400,
  ),
  raw(
    "bare codes without size",
    "/v1/detokenize",
    bytes(new Uint8Array(8), plain),
    400,
  ),
  raw(
    "bare codes out of range",
    "/v1/detokenize",
    bytes(new Uint8Array(8).fill(255), plain, sizes),
    422,
  ),
  raw("no .npy", "/v1/detokenize", bytes("hello", "application/x-npy"), 400),
  raw(
    "a picture to detokenize",
    "/v1/detokenize",
    bytes(new Uint8Array(9), "image/png"),
    415,
  ),

  raw("a path that is not there", "/v1/nothing", {}, 404),
  raw("a method that is not there", "/v1/generate", { method: "PUT" }, 405),
];

for (const { name, path, init, status, pointers = [] } of refusals) {
  Deno.test(`${path.replace(/\?.*/, "")} answers ${status} for ${name}`, async () => {
    const answer = await server.app.request(path, init);
    const body = await answer.json();
    strictEqual(answer.status, status, JSON.stringify(body));
    strictEqual(answer.headers.get("content-type"), "application/problem+json");
    strictEqual(body.status, status);
    strictEqual(body.instance, path.replace(/\?.*/, ""));
    strictEqual(body.request_id, answer.headers.get("x-request-id"));
    strictEqual(body.error.message, body.detail);
    ok(body.type && body.title && body.detail && body.error.code);
    const told = (body.errors ?? []).map(
      ({ pointer }: { pointer: string }) => pointer,
    );
    deepStrictEqual(told.toSorted(), [...pointers].sort());
    ok(!/at .*\.ts:\d/.test(JSON.stringify(body)), "a stack trace");
    deepStrictEqual(server.trace.failures, []);
  });
}

Deno.test("POST /v1/generate quotes the name of an unknown model, and no prompt", async () => {
  const answer = await server.app.request(
    "/v1/generate",
    json({ prompt: "my secret", model: "nobody" }),
  );
  const { detail } = await answer.json();
  ok(detail.includes('"nobody"') && detail.includes('"emu3-tiny"'));
  ok(!detail.includes("secret"));
});

Deno.test("POST /v1/generate refuses a prompt that is too long, with its length and the limit", async () => {
  const answer = await server.app.request(
    "/v1/generate",
    json({ prompt: "a b ".repeat(5000), height: 16, width: 16 }),
  );
  const { detail } = await answer.json();
  strictEqual(detail.match(/\d+/g).length, 2, detail);
});

Deno.test("App runs no request after refusals, and answers new ones", async () => {
  const { language } = server.services.imageGenerator(undefined);
  strictEqual(language.engine.state.running + language.engine.state.waiting, 0);
  const answer = await server.app.request(
    "/v1/generate",
    json({ prompt: "a", height: 16, width: 16 }),
  );
  strictEqual(answer.status, 200);
});
