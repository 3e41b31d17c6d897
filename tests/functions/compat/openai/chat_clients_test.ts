/**
 * The bodies that chat interfaces send: Open WebUI (routers/openai.py and
 * tasks.py) and LibreChat (LangChain's OpenAI client), with pictures and
 * without.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { goldenPath } from "../../../support/golden.ts";
import { settledModel } from "../../../support/settled_model.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import {
  json,
  openTinyServer,
  TINY_FOLDERS,
  type TinyServer,
} from "../../../support/tiny_server.ts";

const CHAT = "/v1/chat/completions";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const image = (await Deno.readFile(goldenPath("chat/c1.png"))).toBase64();
const url = `data:image/png;base64,${image}`;

async function post(body: object, { app }: TinyServer = server) {
  const answer = await app.request(CHAT, json(body));
  return { status: answer.status, body: await answer.json() };
}

/** Returns the model's answer to `question`, by `caption`. */
async function captioned(question: string, tokens: number): Promise<string> {
  const asked = { image, question, "max_tokens": tokens };
  const answer = await server.app.request("/v1/caption", json(asked));
  return (await answer.json()).text;
}

const shown = [
  { type: "text", text: "What is this?" },
  { type: "image_url", "image_url": { url } },
];

const openWebui = {
  stream: false,
  model: "emu3-tiny",
  "max_tokens": 6,
  "stream_options": { "include_usage": true },
  params: {},
  "tool_servers": [],
  features: { "image_generation": false, "web_search": false },
  variables: { "{{USER_NAME}}": "A" },
  "session_id": "s",
  "chat_id": "c",
  id: "m",
  "background_tasks": { "title_generation": true },
  user: { name: "A", id: "1" },
};

const openWebuiTitle = {
  model: "emu3-tiny",
  messages: [{
    role: "user",
    content:
      "### Task:\nGenerate a concise, 3-5 word title with an emoji.\n### Chat History:\n<chat_history>\nUSER: What is this?\n</chat_history>",
  }],
  stream: false,
  "max_completion_tokens": 6,
  metadata: { task: "title_generation", "chat_id": "c", "task_body": {} },
};

const libreChat = {
  model: "emu3-tiny",
  user: "65f0",
  stream: false,
  temperature: 0,
  "top_p": 1,
  "presence_penalty": 0,
  "frequency_penalty": 0,
  n: 1,
  tools: [],
  "max_tokens": 6,
};

const libreChatTitle = {
  ...libreChat,
  messages: [{
    role: "system",
    content: "Provide a concise, 5-word-or-less title for the conversation.",
  }],
};

Deno.test("POST /v1/chat/completions answers Open WebUI and LibreChat as caption does", async () => {
  const expected = await captioned("What is this?", 6);
  for (const fields of [openWebui, libreChat]) {
    const messages = [{ role: "user", content: shown }];
    const { status, body } = await post({ ...fields, messages });
    strictEqual(status, 200);
    strictEqual(body.choices[0].message.content, expected);
  }
});

Deno.test("POST /v1/chat/completions answers a later question about the picture of an earlier turn", async () => {
  const expected = await captioned("Be brief.\nAnd its color?", 6);
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: shown },
    { role: "assistant", content: "It is a square." },
    { role: "user", content: [{ type: "text", text: "And its color?" }] },
  ];
  for (const fields of [openWebui, libreChat]) {
    const { body } = await post({ ...fields, messages });
    strictEqual(body.choices[0].message.content, expected);
  }
});

Deno.test("POST /v1/chat/completions answers title requests without a picture if the model accepts text alone", async () => {
  for (const body of [openWebuiTitle, libreChatTitle]) {
    const first = await post(body);
    strictEqual(first.status, 200);
    ok(first.body.choices[0].message.content.length > 0);
    deepStrictEqual(
      (await post(body)).body.choices,
      first.body.choices,
      "greedy",
    );
  }
});

Deno.test("POST /v1/chat/completions ends a stream of text alone like every stream", async () => {
  const body = { ...openWebuiTitle, stream: true };
  const answer = await server.app.request(CHAT, json(body));
  strictEqual(answer.status, 200);
  ok((await answer.text()).endsWith("data: [DONE]\n\n"));
});

Deno.test("POST /v1/chat/completions refuses text alone with a readable message if the model needs a picture", async () => {
  using folder = temporaryFolder();
  const chat = settledModel(folder, { "text_only": false });
  await using needy = await openTinyServer({
    folders: { ...TINY_FOLDERS, chat },
  });
  for (const stream of [false, true]) {
    for (const title of [openWebuiTitle, libreChatTitle]) {
      const { status, body } = await post({ ...title, stream }, needy);
      strictEqual(status, 422);
      match(body.error.message, /images; attach one to the message/);
      deepStrictEqual(
        [body.error.code, body.error.type, body.error.param],
        ["picture-required", "invalid_request_error", "messages"],
      );
    }
  }
  const messages = [{ role: "user", content: shown }];
  strictEqual((await post({ ...openWebui, messages }, needy)).status, 200);
});
