/**
 * Compatibility tests of Vercel's AI SDK with OpenAI's own provider, which
 * calls `/v1/responses`, unmodified, against a running server.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, type ModelMessage, streamText } from "ai";
import { goldenPath } from "../support/golden.ts";
import { listenTiny } from "../support/tiny_http.ts";
import { json } from "../support/tiny_server.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const model = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" })(
  "emu3-tiny",
);
const picture = Deno.readFileSync(goldenPath("chat/c1.png"));
const question = "Tell me a story about this picture.";
const messages: ModelMessage[] = [{
  role: "user",
  content: [
    { type: "text", text: question },
    { type: "file", mediaType: "image/png", data: picture },
  ],
}];

async function captioned() {
  const body = { image: picture.toBase64(), question };
  return await (await fetch(`${server.url}/v1/caption`, json(body))).json();
}

Deno.test("ai, responses: generateText() returns the answer of caption", async () => {
  const { text, finishReason, usage } = await generateText({ model, messages });
  const answered = await captioned();
  strictEqual(text, answered.text);
  strictEqual(finishReason, "stop");
  strictEqual(usage.inputTokens, answered.usage.prompt_tokens);
  strictEqual(usage.outputTokens, answered.usage.completion_tokens);
});

Deno.test("ai, responses: streamText() streams the answer of caption", async () => {
  const stream = streamText({ model, messages });
  const parts = await Array.fromAsync(stream.textStream);
  strictEqual(parts.join(""), (await captioned()).text);
  ok(parts.length > 4, "it comes in parts");
  strictEqual(await stream.finishReason, "stop");
});

Deno.test("ai, responses: generateText() without a picture answers as in a chat", async () => {
  const { text } = await generateText({ model, prompt: "Hi" });
  const body = { messages: [{ role: "user", content: "Hi" }] };
  const answer = await fetch(`${server.url}/v1/chat/completions`, json(body));
  const { choices: [choice] } = await answer.json();
  strictEqual(text, choice.message.content);
});
