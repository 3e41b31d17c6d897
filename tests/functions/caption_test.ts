import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { goldenJson, goldenPath } from "../support/golden.ts";
import {
  bytes,
  json,
  openTinyServer,
  parseEvents,
} from "../support/tiny_server.ts";

interface GoldenCase {
  readonly name: string;
  readonly file: string;
  readonly question: string;
  readonly template: string;
  readonly "prompt_ids": number[];
  readonly "max_new_tokens": number;
  readonly "answer_ids": number[];
  readonly stop: string;
  readonly text: string;
}

const { cases } = goldenJson<{ cases: GoldenCase[] }>("chat.json");
const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const picture = Deno.readFileSync(goldenPath("chat/c0.png"));
const base64 = picture.toBase64();

function post(init: RequestInit, query = ""): Promise<Response> {
  return Promise.resolve(server.app.request(`/v1/caption${query}`, init));
}

/** Cases without special tokens, which are plain text here alone. */
const plain = cases.filter(({ question }) => !question.includes("<|"));

for (const one of plain) {
  Deno.test(`POST /v1/caption answers as the reference does in ${one.name}`, async () => {
    const answer = await post(json({
      image: (await Deno.readFile(goldenPath(one.file))).toBase64(),
      question: one.question,
      template: one.template === "stage1" ? "base" : one.template,
      decode: "reference",
      "max_tokens": one.max_new_tokens,
    }));
    strictEqual(answer.status, 200);
    const { text, finish_reason: reason, usage } = await answer.json();
    strictEqual(text, one.text);
    strictEqual(reason, one.stop === "eos" ? "stop" : one.stop);
    strictEqual(usage.prompt_tokens, one.prompt_ids.length);
  });
}

Deno.test("POST /v1/caption accepts a picture in every form", async () => {
  const short = { question: "What?", "max_tokens": 5 };
  const form = new FormData();
  form.set("image", new File([picture], "a.png", { type: "image/png" }));
  form.set("question", "What?");
  form.set("max_tokens", "5");
  const grid = await (await server.app.request(
    "/v1/tokenize",
    bytes(picture, "image/png"),
  )).json();
  const npy = await (await server.app.request(
    "/v1/tokenize",
    bytes(picture, "image/png", { accept: "application/x-npy" }),
  )).bytes();
  const urlSafe = picture.toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  const percentEncoded = [...picture].map((byte) =>
    `%${byte.toString(16).padStart(2, "0")}`
  ).join("");
  const answers = await Promise.all([
    post(json({ image: base64, ...short })),
    post(json({ image: `data:image/png;base64,${base64}`, ...short })),
    post(json({ image: urlSafe, ...short })),
    post(json({ image: `data:image/png,${percentEncoded}`, ...short })),
    post(json({ images: [base64], ...short })),
    post(json({ grid: grid.grid, ...short })),
    post(json({ grids: [{ codes: grid.grid.codes }], ...short })),
    post({ method: "POST", body: form }),
    post(bytes(picture, "image/png"), "?question=What%3F&max_tokens=5"),
    post(bytes(npy, "application/x-npy"), "?question=What%3F&max_tokens=5"),
  ]);
  const texts = await Promise.all(
    answers.map(async (answer) => (await answer.json()).text),
  );
  strictEqual(texts.length, 10);
  deepStrictEqual(new Set(texts), new Set([texts[0]]));
});

Deno.test("POST /v1/caption sends text as it is generated", async () => {
  const body = { image: base64, "max_tokens": 6 };
  const whole = await (await post(json(body))).json();
  const stream = await post(json(body, { accept: "text/event-stream" }));
  const events = parseEvents(await stream.text());
  deepStrictEqual(events.slice(0, 2).map(({ event }) => event), [
    "queued",
    "started",
  ]);
  const deltas = events.filter(({ event }) => event === "delta");
  strictEqual(deltas.map(({ data }) => data.text).join(""), whole.text);
  const last = events.at(-1)!;
  strictEqual(last.event, "completed");
  strictEqual(last.data.text, whole.text);
  deepStrictEqual(last.data.usage, whole.usage);
});

Deno.test("POST /v1/caption answers with the text alone, as a line", async () => {
  const body = { image: base64, "max_tokens": 3 };
  const answer = await post(json(body, { accept: "text/plain" }));
  match(answer.headers.get("content-type")!, /^text\/plain/);
  strictEqual(
    await answer.text(),
    `${(await (await post(json(body))).json()).text}\n`,
  );
});

Deno.test("POST /v1/caption reports that max_tokens cut the answer", async () => {
  const answer = await post(json({ image: base64, "max_tokens": 1 }));
  const { finish_reason: reason, usage } = await answer.json();
  strictEqual(reason, "length");
  strictEqual(usage.completion_tokens, 1);
});

Deno.test("POST /v1/caption answers about several pictures at once", async () => {
  const one = await (await post(json({ image: base64, "max_tokens": 1 })))
    .json();
  const two = await (await post(
    json({ images: [base64, base64], "max_tokens": 1 }),
  )).json();
  ok(two.usage.prompt_tokens > one.usage.prompt_tokens + 50);
});
