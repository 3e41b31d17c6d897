import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { describedBy } from "../../../../support/described.ts";
import {
  json,
  openTinyServer,
  type TinyServer,
} from "../../../../support/tiny_server.ts";

const VARIATIONS = "/v1/images/variations";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

async function post(path: string, body: object, { app }: TinyServer = server) {
  const answer = await app.request(path, json(body));
  return { status: answer.status, body: await answer.json() };
}

/** A picture of the drawn size, which needs no resizing. */
const image = (await (await server.app.request(
  "/v1/generate",
  json({ prompt: "a house", seed: 1 }, { accept: "image/png" }),
)).bytes()).toBase64();

const asked = { image, seed: 5 };

async function generated(body: object): Promise<string> {
  const answer = await post("/v1/generate", { seed: 5, ...body });
  strictEqual(answer.status, 200);
  return answer.body.images[0].b64_json;
}

/** Returns the first rows of the picture's own codes. */
async function ownRows(rows: number): Promise<number[][]> {
  const { body } = await post("/v1/tokenize", { image, resize: "none" });
  return body.grid.codes.slice(0, rows);
}

Deno.test("POST /v1/images/variations draws caption's description of the picture", async () => {
  const { body } = await post(VARIATIONS, asked);
  const said = await post("/v1/caption", { image, "max_tokens": 256 });
  const prompt = said.body.text.trim();
  deepStrictEqual(body.variation, { how: "described", prompt, "kept_rows": 0 });
  strictEqual(body.data[0].b64_json, await generated({ prompt }));
});

Deno.test("POST /v1/images/variations draws a given prompt below kept rows", async () => {
  const prompt = "a fox";
  const plain = await post(VARIATIONS, { ...asked, prompt });
  strictEqual(plain.body.data[0].b64_json, await generated({ prompt }));
  const { body } = await post(VARIATIONS, { ...asked, prompt, keep: 0.5 });
  const prefix = { codes: await ownRows(4) };
  strictEqual(body.data[0].b64_json, await generated({ prompt, prefix }));
  deepStrictEqual(body.variation, { how: "prompted", prompt, "kept_rows": 4 });
  const all = await post(VARIATIONS, { ...asked, prompt, keep: 1 });
  strictEqual(all.body.variation.kept_rows, 7, "one row at least is drawn");
});

Deno.test("POST /v1/images/variations keeps a quarter of the rows if no model answers", async () => {
  await using drawing = await openTinyServer({
    functions: new Set(["generate"]),
  }, { functions: new Set(["generate"]) });
  const { status, body } = await post(VARIATIONS, asked, drawing);
  strictEqual(status, 200);
  deepStrictEqual(body.variation, {
    how: "continued",
    prompt: "",
    "kept_rows": 2,
  });
  const prefix = { codes: await ownRows(2) };
  strictEqual(body.data[0].b64_json, await generated({ prompt: "", prefix }));
});

Deno.test("POST /v1/images/variations returns the same for a form and JSON, and matches its description", async () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({ seed: 5, n: 2, keep: 0.25 })) {
    form.set(name, `${value}`);
  }
  form.set("image", new File([Uint8Array.fromBase64(image)], "a.png"));
  const init = { method: "POST", body: form };
  const answer = await server.app.request(VARIATIONS, init);
  await check("POST", VARIATIONS, answer.clone());
  const { data } = await answer.json();
  const { body } = await post(VARIATIONS, { ...asked, n: 2, keep: 0.25 });
  deepStrictEqual(data, body.data);
  ok(data[0].b64_json !== data[1].b64_json);
});

Deno.test("POST /v1/images/variations refuses an unsupported variation, naming the field", async () => {
  for (
    const [pointer, pattern, body] of [
      ["/image", /is required/, { seed: 5 }],
      ["/image", /does not combine/, { images: [image, image] }],
      ["/image", /base64/, { image: "***" }],
      ["/keep", /1 or less/, { ...asked, keep: 2 }],
    ] as const
  ) {
    const { status, body: problem } = await post(VARIATIONS, body);
    strictEqual(status, 422, pointer);
    strictEqual(problem.errors[0].pointer, pointer);
    match(problem.errors[0].detail, pattern);
  }
  const text = btoa("no picture");
  strictEqual((await post(VARIATIONS, { image: text })).status, 415);
});
