/**
 * Compatibility tests of OpenAI's own client, unmodified, against a running
 * server: questions about pictures.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type OpenAI from "openai";
import { settledModel } from "../support/settled_model.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import {
  apiFailure,
  asking,
  dataUrl,
  native,
  openaiClient,
  STORY as question,
  STORY_PICTURE as image,
} from "../support/openai.ts";
import { listenTiny } from "../support/tiny_http.ts";
import { TINY_FOLDERS } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = openaiClient(server.url);

const CAPTION = `${server.url}/v1/caption`;
const model = "emu3-tiny";
const messages = [asking(question, image)];

Deno.test("openai: chat.completions.create() returns the answer of caption", async () => {
  const { id, choices, usage, ...answer } = await client.chat.completions
    .create({ model, messages });
  const captioned = await native(CAPTION, { image, question });
  deepStrictEqual(choices, [{
    index: 0,
    message: { role: "assistant", content: captioned.text, refusal: null },
    logprobs: null,
    finish_reason: "stop",
  }]);
  deepStrictEqual(usage, {
    ...captioned.usage,
    total_tokens: captioned.usage.prompt_tokens +
      captioned.usage.completion_tokens,
  });
  ok(captioned.text.length > 5 && id !== "");
  deepStrictEqual([answer.object, answer.model], ["chat.completion", model]);
});

Deno.test("openai: chat.completions.create() streams the answer of caption, and its usage", async () => {
  const whole = await client.chat.completions.create({
    model,
    messages,
  });
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  const deltas = chunks.flatMap(({ choices }) => choices)
    .map(({ delta }) => delta);
  strictEqual(deltas[0]!.role, "assistant");
  strictEqual(
    deltas.map(({ content }) => content ?? "").join(""),
    whole.choices[0]!.message.content,
  );
  ok(deltas.length > 4, "it comes in parts");
  const reasons = chunks.flatMap(({ choices }) => choices)
    .map(({ finish_reason: reason }) => reason);
  deepStrictEqual(
    [reasons.at(-1), new Set(reasons.slice(0, -1))],
    ["stop", new Set([null])],
  );
  const usages = chunks.map(({ usage }) => usage);
  deepStrictEqual(
    [usages.at(-1), new Set(usages.slice(0, -1))],
    [whole.usage, new Set([null])],
  );
  strictEqual(new Set(chunks.map(({ id }) => id)).size, 1);
});

Deno.test("openai: chat.completions.stream() collects the answer, with usage only on request", async () => {
  const whole = await client.chat.completions.create({
    model,
    messages,
  });
  const runner = client.chat.completions.stream({ model, messages });
  const gathered = await runner.finalChatCompletion();
  deepStrictEqual(
    gathered.choices[0]!.message.content,
    whole.choices[0]!.message.content,
  );
  strictEqual(gathered.usage, undefined);
});

Deno.test("openai: chat.completions.create() obeys max_tokens and stop", async () => {
  const ask = async (
    more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>,
  ) => {
    const { choices, usage } = await client.chat.completions
      .create({ model, messages, ...more });
    const { message, finish_reason: reason } = choices[0]!;
    return [message.content, reason, usage!.completion_tokens] as const;
  };
  const [whole] = await ask({ stop: null });
  for (const name of ["max_tokens", "max_completion_tokens"]) {
    const [content, reason, tokens] = await ask({ [name]: 3 });
    ok(whole!.startsWith(content!));
    deepStrictEqual([reason, tokens], ["length", 3]);
  }
  const word = whole!.slice(6, 9);
  for (const stop of [word, ["never", word]]) {
    const [content, reason] = await ask({ stop });
    deepStrictEqual([content, reason], [
      whole!.slice(0, whole!.indexOf(word)),
      "stop",
    ]);
  }
});

Deno.test("openai: chat.completions.create() samples by seed and temperature", async () => {
  const ask = async (seed: number) => {
    const { choices } = await client.chat.completions.create({
      model,
      messages,
      temperature: 1,
      top_p: 0.9,
      max_tokens: 12,
      seed,
    });
    return choices[0]!.message.content;
  };
  strictEqual(await ask(1), await ask(1));
  ok(await ask(1) !== await ask(2));
});

Deno.test("openai: chat.completions.create() accepts several pictures, and instructions before the question", async () => {
  const other = dataUrl("chat/c2.png");
  const { choices, usage } = await client.chat.completions.create({
    model,
    max_tokens: 6,
    messages: [
      { role: "system", content: "Be brief." },
      asking("What?", image, other),
    ],
  });
  const captioned = await native(CAPTION, {
    images: [image, other],
    question: "Be brief.\nWhat?",
    "max_tokens": 6,
  });
  strictEqual(choices[0]!.message.content, captioned.text);
  strictEqual(usage!.prompt_tokens, captioned.usage.prompt_tokens);
});

Deno.test("openai: a follow-up question refers to the picture of an earlier message", async () => {
  const { choices } = await client.chat.completions.create({
    model,
    max_tokens: 6,
    messages: [
      ...messages,
      { role: "assistant", content: "Once upon a time." },
      { role: "user", content: "What?" },
    ],
  });
  const captioned = await native(CAPTION, {
    image,
    question: "What?",
    "max_tokens": 6,
  });
  strictEqual(choices[0]!.message.content, captioned.text);
});

Deno.test("openai: chat.completions.create() answers text alone, or reports that the model requires a picture", async () => {
  const alone = { model, messages: [asking("my secret")], "max_tokens": 6 };
  const { choices, usage } = await client.chat.completions.create(alone);
  ok(usage!.prompt_tokens > 10 && choices.length === 1);
  using folder = temporaryFolder();
  const chat = settledModel(folder, { "text_only": false });
  await using needy = await listenTiny({ folders: { ...TINY_FOLDERS, chat } });
  const error = await apiFailure(
    openaiClient(needy.url).chat.completions.create(alone),
  );
  deepStrictEqual(
    [error.status, error.code, error.param],
    [422, "picture-required", "messages"],
  );
  match(
    error.message,
    /"emu3-tiny" only answers questions about images; attach/,
  );
  ok(!error.message.includes("secret"));
});

Deno.test("openai: closing a chat stream stops the model", async () => {
  const stream = await client.chat.completions.create({
    model,
    messages,
    max_tokens: 2000,
    temperature: 2,
    seed: 4,
    stream: true,
  });
  for await (const _ of stream) break;
  await server.idle();
  await until(() =>
    server.trace.access.at(-1)!.path === "/v1/chat/completions" &&
    server.trace.access.at(-1)!.status === 499
  );
  strictEqual(server.trace.access.at(-1)!.tokens, undefined);
  deepStrictEqual(server.trace.failures, []);
});
