import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { describedBy } from "../../../support/described.ts";
import { goldenPath } from "../../../support/golden.ts";
import { JobClient } from "../../../support/job_client.ts";
import { settledModel } from "../../../support/settled_model.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import {
  json,
  openTinyServer,
  TINY_FOLDERS,
} from "../../../support/tiny_server.ts";

const PATH = "/v1/responses";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

const image = (await Deno.readFile(goldenPath("chat/c1.png"))).toBase64();

function asking(url: string, more: object = {}): object {
  const content = [
    { type: "input_text", text: "my secret" },
    { type: "input_image", "image_url": url },
  ];
  return {
    input: [{ role: "user", content }],
    "max_output_tokens": 3,
    ...more,
  };
}

async function post(body: object, app = server.app) {
  const answer = await app.request(PATH, json(body));
  return { status: answer.status, body: await answer.json() };
}

Deno.test("POST /v1/responses matches its description, whole and as events", async () => {
  for (const stream of [false, true]) {
    for (const tokens of [1, 2000]) {
      const more = { stream, "max_output_tokens": tokens };
      const answer = await server.app.request(PATH, json(asking(image, more)));
      strictEqual(answer.status, 200);
      await check("POST", PATH, answer);
    }
  }
  await check("POST", PATH, await server.app.request(PATH, json({ input: 1 })));
});

Deno.test("POST /v1/responses streams numbered events that join to the whole text", async () => {
  const { body } = await post(asking(image));
  const answer = await server.app.request(
    PATH,
    json(asking(image, { stream: true })),
  );
  const blocks = (await answer.text()).trim().split("\n\n");
  const events = blocks.map((block) => {
    const [, event, data] = block.match(/^event: (.*)\ndata: (.*)$/)!;
    const parsed = JSON.parse(data!);
    strictEqual(parsed.type, event);
    return parsed;
  });
  deepStrictEqual(
    events.map(({ sequence_number: number }) => number),
    events.map((_, i) => i),
  );
  const deltas = events.filter(({ type }) =>
    type === "response.output_text.delta"
  );
  deepStrictEqual(events.map(({ type }) => type), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    ...deltas.map(({ type }) => type),
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.incomplete",
  ]);
  const { text } = body.output[0].content[0];
  strictEqual(deltas.map(({ delta }) => delta).join(""), text);
  strictEqual(events.at(-1).response.output[0].content[0].text, text);
  strictEqual(body.status, "incomplete");
  deepStrictEqual(body.incomplete_details, { reason: "max_output_tokens" });
});

Deno.test("GET /v1/responses/{id} reports that no response is stored", async () => {
  for (
    const [method, path] of [
      ["GET", "resp_1"],
      ["DELETE", "resp_1"],
      ["POST", "resp_1/cancel"],
      ["GET", "resp_1/input_items"],
    ] as const
  ) {
    const answer = await server.app.request(`${PATH}/${path}`, { method });
    strictEqual(answer.status, 404);
    match((await answer.json()).error.message, /are not stored/);
  }
  strictEqual((await server.app.request(PATH)).status, 405);
});

Deno.test("POST /v1/responses refuses an invalid picture by its pointer, without quoting it", async () => {
  const pointer = "/input/0/content/1/image_url";
  for (
    const url of ["data:image/png;base64,***", "https://example.com/a.png"]
  ) {
    const { status, body } = await post(asking(url));
    strictEqual(status, 422);
    strictEqual(body.errors[0].pointer, pointer);
    ok(!JSON.stringify(body).includes("secret"));
  }
  strictEqual((await post(asking(btoa("no picture")))).status, 415);
});

Deno.test("POST /v1/responses answers text alone only if the model supports it", async () => {
  const alone = { input: "Hello", "max_output_tokens": 3 };
  strictEqual((await post(alone)).status, 200);
  using folder = temporaryFolder();
  const chat = settledModel(folder, { "text_only": false });
  await using needy = await openTinyServer({
    folders: { ...TINY_FOLDERS, chat },
  });
  const { status, body } = await post(alone, needy.app);
  strictEqual(status, 422);
  deepStrictEqual(
    [body.error.code, body.error.param],
    ["picture-required", "input"],
  );
});

Deno.test("POST /v1/responses becomes a job with Prefer: respond-async, with the same answer", async () => {
  const { body } = await post(asking(image));
  const prefer = { prefer: "respond-async" };
  const answer = await server.app.request(PATH, json(asking(image), prefer));
  strictEqual(answer.status, 202);
  const jobs = new JobClient((path, init) => server.app.request(path, init));
  const { id } = await answer.json();
  await jobs.events(id);
  const job = await jobs.get(id);
  strictEqual(job.status, "succeeded");
  deepStrictEqual(job.result.output[0].content, body.output[0].content);
});
