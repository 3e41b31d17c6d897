import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { goldenPath } from "../../../support/golden.ts";
import { json, openTinyServer } from "../../../support/tiny_server.ts";

const DRAW = "/v1/images/generations";
const EDIT = "/v1/images/edits";
const VARY = "/v1/images/variations";
const CHAT = "/v1/chat/completions";
const ANSWER = "/v1/responses";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

function asking(url: string, more: object = {}): object {
  const content = [
    { type: "text", text: "my secret" },
    { type: "image_url", "image_url": { url } },
  ];
  const messages = [{ role: "user", content }];
  return { messages, "max_tokens": 3, ...more };
}

async function post(path: string, body: unknown) {
  const answer = await server.app.request(path, json(body));
  return { answer, body: await answer.json() };
}

const image = (await Deno.readFile(goldenPath("chat/c1.png"))).toBase64();

Deno.test("OpenAI's routes are disabled with their function", async () => {
  for (
    const [name, here, off] of [
      ["generate", DRAW, CHAT],
      ["generate", EDIT, ANSWER],
      ["generate", VARY, CHAT],
      ["caption", CHAT, DRAW],
      ["caption", ANSWER, EDIT],
      ["caption", ANSWER, VARY],
    ] as const
  ) {
    await using one = await openTinyServer({ functions: new Set([name]) });
    const refused = await one.app.request(off, json({}));
    strictEqual(refused.status, 404);
    match((await refused.json()).detail, /FUNCTIONS/);
    strictEqual((await one.app.request(here, json({}))).status, 422);
  }
});

Deno.test("OpenAI's routes accept POST alone", async () => {
  for (const path of [DRAW, EDIT, VARY, CHAT, ANSWER]) {
    strictEqual((await server.app.request(path)).status, 405);
  }
});

Deno.test("OpenAI's routes stream a chat as data lines only, ended by [DONE]", async () => {
  const answer = await server.app.request(
    CHAT,
    json(asking(image, { stream: true })),
  );
  match(answer.headers.get("content-type")!, /^text\/event-stream/);
  const blocks = (await answer.text()).split("\n\n");
  deepStrictEqual(blocks.slice(-2), ["data: [DONE]", ""]);
  ok(blocks.slice(0, -1).every((block) => /^data: [^\n]+$/.test(block)));
});

Deno.test("OpenAI's routes stream pictures as named events", async () => {
  const body = { prompt: "a fox", stream: true, "partial_images": 1 };
  const answer = await server.app.request(DRAW, json(body));
  const names = (await answer.text()).match(/^event: .*$/gm);
  deepStrictEqual(names, [
    "event: image_generation.partial_image",
    "event: image_generation.completed",
  ]);
});

Deno.test("OpenAI's routes send partial pictures as files of the requested type", async () => {
  const answer = await server.app.request(
    DRAW,
    json({
      prompt: "a fox",
      stream: true,
      "partial_images": 3,
      "output_format": "jpeg",
    }),
  );
  const data = (await answer.text()).match(/^data: .*$/gm)!
    .map((line) => JSON.parse(line.slice(6)));
  strictEqual(data.length, 4);
  for (const { b64_json: base64, output_format: format } of data) {
    strictEqual(format, "jpeg");
    deepStrictEqual([...Uint8Array.fromBase64(base64).slice(0, 2)], [
      0xff,
      0xd8,
    ]);
  }
});

Deno.test("OpenAI's routes refuse an invalid picture by its pointer, without quoting it", async () => {
  const url = "/messages/0/content/1/image_url/url";
  const odd = await post(CHAT, asking("data:image/png;base64,***"));
  strictEqual(odd.answer.status, 422);
  strictEqual(odd.body.errors[0].pointer, url);
  const far = await post(CHAT, asking("https://example.com/a.png"));
  strictEqual(far.answer.status, 422);
  strictEqual(far.body.errors[0].pointer, url);
  match(far.body.error.message, /URLs are disabled/);
  const unreadable = await post(CHAT, asking(btoa("no picture")));
  strictEqual(unreadable.answer.status, 415);
  for (const { body } of [odd, far, unreadable]) {
    ok(!JSON.stringify(body).includes("secret"));
  }
  ok(!JSON.stringify(server.trace).includes("secret"));
});

Deno.test("OpenAI's routes answer errors before a stream with an error status", async () => {
  const body = asking(image, { stream: true, model: "gpt-4o" });
  const { answer } = await post(CHAT, body);
  strictEqual(answer.status, 404);
  const long = { prompt: "a fox ".repeat(4000), stream: true };
  const refused = await post(DRAW, long);
  strictEqual(refused.answer.status, 422);
  strictEqual(refused.body.error.code, "prompt-too-long");
});

Deno.test("OpenAI's routes log tokens and timings", async () => {
  const drawn = await post(DRAW, { prompt: "a fox" });
  match(drawn.answer.headers.get("server-timing")!, /vision;dur=/);
  strictEqual(
    server.trace.access.at(-1)!.tokens,
    drawn.body.usage.output_tokens,
  );
  const said = await post(CHAT, asking(image));
  match(said.answer.headers.get("server-timing")!, /vision;dur=/);
  strictEqual(server.trace.access.at(-1)!.tokens, 3);
});
