import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import type { AppEnv } from "../../../../functions/http/context.ts";
import { goldenPath } from "../../../support/golden.ts";
import { codes, element, text } from "../../../support/kserve.ts";
import { bytes, json, openTinyServer } from "../../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const picture = await Deno.readFile(goldenPath("chat/c0.png"));
const fox = text("prompt", "a fox");

function post(
  model: string,
  init: RequestInit,
  app: Hono<AppEnv> = server.app,
): Promise<Response> {
  return Promise.resolve(app.request(`/v2/models/${model}/infer`, init));
}

/** Returns the error of `body`, as these clients show it. */
async function refusal(
  model: string,
  init: RequestInit,
): Promise<[number, string]> {
  const answer = await post(model, init);
  const { error } = await answer.json();
  return [answer.status, error];
}

/** Returns `body`, compressed. */
async function packed(
  body: string,
  format: CompressionFormat,
): Promise<RequestInit> {
  const stream = new Blob([body]).stream()
    .pipeThrough(new CompressionStream(format));
  const whole = await new Response(stream).bytes();
  return bytes(whole, "application/json", { "content-encoding": format });
}

Deno.test("POST infer accepts gzip and deflate, with the limit of plain bodies", async () => {
  const body = JSON.stringify({ inputs: [codes([1, 2], [3, 4])] });
  const plain = await (await post("detokenize", bytes(body, ""))).json();
  for (const format of ["gzip", "deflate"] as const) {
    const answer = await post("detokenize", await packed(body, format));
    deepStrictEqual(await answer.json(), plain);
    const bomb = await packed(" ".repeat(2 ** 20 + 1), format);
    match((await refusal("detokenize", bomb)).join(), /^413,.*MAX_BODY_BYTES/);
  }
});

Deno.test("POST infer reports the fault under `error`", async () => {
  const image = text("image", picture.toBase64());
  const asked = { inputs: [fox], outputs: [{ name: "pixels" }] };
  const gzip = { "content-encoding": "gzip" };
  const refused: [string, RequestInit, RegExp][] = [
    ["generate", json({ inputs: [] }), /^422,.*"prompt" is required/],
    ["generate", json({ inputs: [fox, image] }), /^422,.*unknown tensor/],
    ["generate", json(asked), /^422,.*unknown output; expected image, codes/],
    [
      "generate",
      json({ inputs: [fox], parameters: { seed: "x" } }),
      /^422,.*\/seed: expected/,
    ],
    [
      "generate",
      json({ inputs: [fox], parameters: { model: "other" } }),
      /^404,.*model "other"/,
    ],
    [
      "generate",
      json({ inputs: [text("prompt", "x".repeat(40_000))] }),
      /^422,.*\/prompt/,
    ],
    ["caption", json({ inputs: [] }), /^422,.*either image or codes/],
    [
      "caption",
      json({ inputs: [image, codes([1, 1], [1])] }),
      /^422,.*either image or codes/,
    ],
    ["caption", json({ inputs: [codes([1, 1, 1], [1])] }), /^422,.*\[H, W\]/],
    ["caption", json({ inputs: [text("image", "?")] }), /^422,.*data URL/],
    ["caption", json({ inputs: [text("image", "AAAA")] }), /^415,/],
    ["tokenize", json({ inputs: [] }), /^422,.*either image or text/],
    [
      "tokenize",
      json({ inputs: [{ ...image, shape: [2], data: ["a", "b"] }] }),
      /^422,.*expected BYTES \[1\]/,
    ],
    [
      "tokenize",
      json({ inputs: [{ ...codes([1], [1]), name: "image" }] }),
      /^422,.*expected BYTES \[1\]/,
    ],
    ["detokenize", json({ inputs: [codes([2], [1, 2])] }), /^422,.*UINT16/],
    ["detokenize", json({ inputs: [codes([0, 2], [])] }), /^422,.*UINT16/],
    [
      "detokenize",
      json({ inputs: [codes([1, 1, 1, 1], [1])] }),
      /^422,.*\[T, H, W\]/,
    ],
    ["detokenize", json({ inputs: [codes([1, 1], [65_535])] }), /^422,/],
    ["detokenize", json([]), /^422,.*expected an object/],
    ["detokenize", bytes("{", "application/json"), /^400,.*not JSON/],
    ["detokenize", bytes("", "application/json"), /^400,.*empty/],
    ["detokenize", bytes("{}", "text/csv"), /^415,.*octet-stream/],
    [
      "detokenize",
      bytes("{}", "application/json", gzip),
      /^400,.*not valid gzip/,
    ],
    [
      "detokenize",
      bytes("{}", "application/json", { "content-encoding": "br" }),
      /^415,.*gzip and deflate/,
    ],
  ];
  for (const [model, init, expected] of refused) {
    match((await refusal(model, init)).join(), expected);
  }
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("POST infer refuses text that is not UTF-8, and does not quote it", async () => {
  const raw = element(Uint8Array.of(0x61, 0xff));
  const header = new TextEncoder().encode(JSON.stringify({
    inputs: [{
      name: "prompt",
      shape: [1],
      datatype: "BYTES",
      parameters: { "binary_data_size": raw.length },
    }],
  }));
  const body = Uint8Array.of(...header, ...raw);
  const length = { "inference-header-content-length": `${header.length}` };
  const init = bytes(body, "application/octet-stream", length);
  deepStrictEqual(await refusal("generate", init), [
    422,
    "Cannot use request: /prompt: expected UTF-8",
  ]);
});

Deno.test("POST infer answers errors as problem documents too", async () => {
  const answer = await post("generate", json({ inputs: [] }));
  const problem = await answer.json();
  strictEqual(problem.error, problem.detail);
  match(problem.type, /invalid-fields$/);
  strictEqual(problem.instance, "/v2/models/generate/infer");
  ok(problem.request_id);
});

Deno.test("POST infer refuses a picture or clip that is too large to decode", async () => {
  const options = { limits: { maxBodyBytes: 2 ** 20, maxPixels: 4096 } };
  await using strict = await openTinyServer(options);
  const send = async (shape: number[]) => {
    const data = Array(shape.reduce((a, b) => a * b)).fill(0);
    const init = json({ inputs: [codes(shape, data)] });
    return (await post("detokenize", init, strict.app)).status;
  };
  deepStrictEqual(await send([9, 8]), 413);
  deepStrictEqual(await send([5, 4, 4]), 422);
  deepStrictEqual(await send([8, 8]), 200);
});
