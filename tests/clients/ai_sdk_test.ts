/**
 * Compatibility tests of Vercel's AI SDK with its OpenAI-compatible provider,
 * unmodified, against a running server.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateImage,
  generateText,
  type ModelMessage,
  streamText,
} from "ai";
import { goldenPath } from "../support/golden.ts";
import { listen, listenTiny } from "../support/tiny_http.ts";
import { json } from "../support/tiny_server.ts";
import { withVision } from "../support/other_vision.ts";
import { until } from "../support/until.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const emu3 = providerOf(server.url);
const model = emu3("emu3-tiny");
const painter = emu3.imageModel("emu3-tiny");
const picture = Deno.readFileSync(goldenPath("chat/c1.png"));
const question = "Tell me a story about this picture.";
const messages: ModelMessage[] = [{
  role: "user",
  content: [
    { type: "text", text: question },
    { type: "file", mediaType: "image/png", data: picture },
  ],
}];

function providerOf(url: string) {
  return createOpenAICompatible({
    name: "emu3",
    baseURL: `${url}/v1`,
    includeUsage: true,
  });
}

async function native(path: string, body: object) {
  return await (await fetch(`${server.url}${path}`, json(body))).json();
}

/** Returns the server's caption of the picture. */
async function captioned(more: object = {}) {
  const image = picture.toBase64();
  return await native("/v1/caption", { image, question, ...more });
}

/** Returns the error that `promise` rejects with. */
async function failure(promise: Promise<unknown>): Promise<APICallError> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(APICallError.isInstance(error), `${error}`);
  return error;
}

Deno.test("ai: generateImage() returns the pictures of generate", async () => {
  const seeded = { seed: 5, "guidance_scale": 2 };
  const { images, usage, warnings } = await generateImage({
    model: painter,
    prompt: "a fox",
    size: "64x32",
    n: 2,
    providerOptions: { emu3: seeded },
  });
  const drawn = await native("/v1/generate", {
    prompt: "a fox",
    ratio: "2:1",
    n: 2,
    ...seeded,
  });
  deepStrictEqual(
    images.map(({ base64 }) => base64),
    drawn.images.map(({ b64_json: base64 }: { b64_json: string }) => base64),
  );
  deepStrictEqual(images.map(({ mediaType }) => mediaType), [
    "image/png",
    "image/png",
  ]);
  strictEqual(usage.outputTokens, drawn.usage.image_tokens);
  deepStrictEqual(warnings, []);
});

Deno.test("ai: generateText() returns the answer of caption", async () => {
  const { text, finishReason, usage } = await generateText({ model, messages });
  const answered = await captioned();
  strictEqual(text, answered.text);
  strictEqual(finishReason, "stop");
  strictEqual(usage.inputTokens, answered.usage.prompt_tokens);
  strictEqual(usage.outputTokens, answered.usage.completion_tokens);
});

Deno.test("ai: generateText() obeys token limits, stop sequences and instructions", async () => {
  const short = await generateText({ model, messages, maxOutputTokens: 3 });
  strictEqual(short.finishReason, "length");
  const { text: whole } = await generateText({ model, messages });
  const stop = whole.slice(6, 9);
  const stopped = await generateText({
    model,
    messages,
    stopSequences: [stop],
  });
  strictEqual(stopped.text, whole.slice(0, whole.indexOf(stop)));
  const instructed = await generateText({
    model,
    messages,
    instructions: "Be brief.",
    maxOutputTokens: 8,
  });
  const answered = await captioned({
    question: `Be brief.\n${question}`,
    "max_tokens": 8,
  });
  strictEqual(instructed.text, answered.text);
});

Deno.test("ai: streamText() streams the answer of caption, and its usage", async () => {
  const stream = streamText({ model, messages });
  const parts = await Array.fromAsync(stream.textStream);
  const answered = await captioned();
  strictEqual(parts.join(""), answered.text);
  ok(parts.length > 4, "it comes in parts");
  strictEqual(await stream.finishReason, "stop");
  const usage = await stream.usage;
  strictEqual(usage.inputTokens, answered.usage.prompt_tokens);
  strictEqual(usage.outputTokens, answered.usage.completion_tokens);
});

Deno.test("ai: errors carry the status and message of the server", async () => {
  const unknown = await failure(
    generateImage({ model: emu3.imageModel("gpt-image-2"), prompt: "a fox" }),
  );
  strictEqual(unknown.statusCode, 404);
  strictEqual(unknown.isRetryable, false);
  match(unknown.message, /^Cannot find model "gpt-image-2"/);
  const damaged = await failure(generateText({
    model,
    messages: [{
      role: "user",
      content: [{
        type: "file",
        mediaType: "image/png",
        data: picture.subarray(0, 99),
      }],
    }],
  }));
  strictEqual(damaged.statusCode, 415);
  match(damaged.message, /^Cannot read image/);
  const silent = await failure(generateText({ model, prompt: " " }));
  strictEqual(silent.statusCode, 422);
  match(silent.message, /expected a question or an image/);
});

Deno.test("ai: an abort stops the model", async () => {
  const leave = new AbortController();
  const { signal: abortSignal } = leave;
  const drawing = generateImage({
    model: painter,
    prompt: "a fox",
    n: 8,
    abortSignal,
  }).then(() => undefined, (error) => error);
  await server.busy();
  leave.abort();
  strictEqual((await drawing).name, "AbortError");
  await server.idle();
  await until(() => server.trace.access.at(-1)!.status === 499);
  strictEqual(server.trace.access.at(-1)!.tokens, undefined);
});

Deno.test("ai: transient errors are marked as retryable", async () => {
  const late = new DOMException("late", "TimeoutError");
  const app = withVision(server, (vision) => ({
    ...vision,
    decode: () => Promise.reject(late),
  }));
  await using slow = await listen(app);
  const error = await failure(generateImage({
    model: providerOf(slow.url).imageModel("emu3-tiny"),
    prompt: "a fox",
    maxRetries: 0,
  }));
  strictEqual(error.statusCode, 504);
  strictEqual(error.isRetryable, true);
});
