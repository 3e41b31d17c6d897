/**
 * OpenAI's own client, unchanged, against a running server.
 *
 * @module
 */

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import OpenAI, {
  APIError,
  APIUserAbortError,
  InternalServerError,
  NotFoundError,
  UnprocessableEntityError,
} from "openai";
import { decodeImage } from "../../lib/vision/decode.ts";
import { goldenPath } from "../support/golden.ts";
import { listen, listenTiny, until } from "../support/tiny_http.ts";
import { withVision } from "../support/other_vision.ts";
import { json } from "../support/tiny_server.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = clientOf(server.url);

const model = "emu3-tiny";
const fox = { model, prompt: "a fox", size: "64x32" } as const;
/** Some thousand steps: far longer than a test waits. */
const endless = { prompt: "a fox", height: 512, width: 512 };
const image = dataUrl("chat/c1.png");
const question = "Tell me a story about this picture.";

function clientOf(
  url: string,
  options: ConstructorParameters<typeof OpenAI>[0] = {},
): OpenAI {
  const baseURL = `${url}/v1`;
  return new OpenAI({ baseURL, apiKey: "none", maxRetries: 0, ...options });
}

/** Fields of ours, which the client sends along. */
function extra<T extends object>(fields: T, more: object): T {
  return { ...fields, ...more };
}

function dataUrl(path: string): string {
  const bytes = Deno.readFileSync(goldenPath(path));
  return `data:image/png;base64,${bytes.toBase64()}`;
}

function picture(url: string): OpenAI.ChatCompletionContentPartImage {
  return { type: "image_url", image_url: { url } };
}

function text(text: string): OpenAI.ChatCompletionContentPartText {
  return { type: "text", text };
}

function asking(
  content: OpenAI.ChatCompletionContentPart[],
): OpenAI.ChatCompletionMessageParam[] {
  return [{ role: "user", content }];
}

const story = asking([text(question), picture(image)]);

async function native(path: string, body: object) {
  return await (await fetch(`${server.url}${path}`, json(body))).json();
}

function pixels(base64: string | undefined) {
  const limits = { decode: "display", maxPixels: 2 ** 20 } as const;
  return decodeImage(Uint8Array.fromBase64(base64!), limits);
}

/** The error that `promise` fails with. */
async function failure(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(error instanceof APIError, `${error}`);
  return error;
}

Deno.test("openai: images.generate() draws what generate draws", async () => {
  const seeded = { seed: 5, "guidance_scale": 2, "top_k": 64 };
  const drawn = await client.images.generate(extra(fox, seeded));
  const { images, usage } = await native("/v1/generate", {
    prompt: "a fox",
    ratio: "2:1",
    ...seeded,
  });
  strictEqual(drawn.data?.length, 1);
  strictEqual(drawn.data[0]!.b64_json, images[0].b64_json);
  // The area is the checkpoint's, 64 × 64, and the ratio as near as codes are.
  strictEqual(drawn.size, "88x48");
  strictEqual(drawn.output_format, "png");
  strictEqual(drawn.background, "opaque");
  strictEqual(Reflect.get(drawn, "seed"), 5);
  // Seconds, not milliseconds.
  match(`${drawn.created}`, /^\d{10}$/);
  deepStrictEqual(drawn.usage, {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: { image_tokens: 0, text_tokens: usage.prompt_tokens },
    output_tokens: usage.image_tokens,
    output_tokens_details: { image_tokens: usage.image_tokens, text_tokens: 0 },
    total_tokens: usage.prompt_tokens + usage.image_tokens,
  });
});

Deno.test("openai: images.generate() draws n pictures of the checkpoint's size", async () => {
  const drawn = await client.images.generate({
    prompt: "a fox",
    n: 2,
    size: "auto",
    quality: "high",
    style: "vivid",
    moderation: "low",
    background: "auto",
    user: "somebody",
    model: null,
    response_format: "b64_json",
  });
  strictEqual(drawn.size, "64x64");
  strictEqual(drawn.data?.length, 2);
  for (const { b64_json: base64 } of drawn.data) {
    const { height, width } = await pixels(base64);
    deepStrictEqual([height, width], [64, 64]);
  }
});

Deno.test("openai: images.generate() makes JPEGs, smaller when compressed", async () => {
  const lengths = [];
  for (const compression of [0, 50, 100]) {
    const drawn = await client.images.generate(extra({
      ...fox,
      output_format: "jpeg" as const,
      output_compression: compression,
    }, { seed: 1, metadata: false }));
    strictEqual(drawn.output_format, "jpeg");
    const bytes = Uint8Array.fromBase64(drawn.data![0]!.b64_json!);
    deepStrictEqual([...bytes.subarray(0, 2)], [0xff, 0xd8]);
    lengths.push(bytes.length);
  }
  ok(lengths[0]! < lengths[1]! && lengths[1]! < lengths[2]!, `${lengths}`);
});

Deno.test("openai: images.generate() streams partial pictures and the whole", async () => {
  const stream = await client.images.generate(extra({
    ...fox,
    stream: true as const,
    partial_images: 2,
  }, { seed: 5 }));
  const events = await Array.fromAsync(stream);
  deepStrictEqual(events.map(({ type }) => type), [
    "image_generation.partial_image",
    "image_generation.partial_image",
    "image_generation.completed",
  ]);
  const heights = [];
  for (const event of events) {
    const { height, width } = await pixels(event.b64_json);
    strictEqual(width, 88);
    strictEqual(event.size, `88x${height}`);
    strictEqual(event.output_format, "png");
    strictEqual(event.background, "opaque");
    strictEqual(event.quality, "auto");
    heights.push(height);
  }
  // Six rows of eight pixels: shown after two and after four.
  deepStrictEqual(heights, [16, 32, 48]);
  deepStrictEqual(
    events.flatMap((event) =>
      event.type === "image_generation.partial_image"
        ? [event.partial_image_index]
        : []
    ),
    [0, 1],
  );
  const whole = await client.images.generate(extra(fox, { seed: 5 }));
  const last = events.at(-1)!;
  ok(last.type === "image_generation.completed");
  strictEqual(last.b64_json, whole.data![0]!.b64_json);
  deepStrictEqual(last.usage, whole.usage);
});

Deno.test("openai: images.generate() streams several pictures, which sum up to its usage", async () => {
  const several = extra({ ...fox, n: 2 }, { seed: 5 });
  const stream = await client.images.generate({ ...several, stream: true });
  const events = await Array.fromAsync(stream);
  const whole = await client.images.generate(several);
  deepStrictEqual(
    events.map((event) => event.b64_json),
    whole.data!.map((one) => one.b64_json),
  );
  const totals = events.map((event) =>
    event.type === "image_generation.completed" ? event.usage.total_tokens : 0
  );
  strictEqual(totals[0]! + totals[1]!, whole.usage!.total_tokens);
});

Deno.test("openai: chat answers what caption answers", async () => {
  const { id, choices, usage, ...answer } = await client.chat.completions
    .create({ model, messages: story });
  const captioned = await native("/v1/caption", { image, question });
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

Deno.test("openai: chat streams what it answers, and how much that was", async () => {
  const whole = await client.chat.completions.create({
    model,
    messages: story,
  });
  const stream = await client.chat.completions.create({
    model,
    messages: story,
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

Deno.test("openai: chat.completions.stream() gathers the answer, without usage unless asked", async () => {
  const whole = await client.chat.completions.create({
    model,
    messages: story,
  });
  const runner = client.chat.completions.stream({ model, messages: story });
  const gathered = await runner.finalChatCompletion();
  deepStrictEqual(
    gathered.choices[0]!.message.content,
    whole.choices[0]!.message.content,
  );
  strictEqual(gathered.usage, undefined);
});

Deno.test("openai: chat is cut by max_tokens and ends before a stop", async () => {
  const ask = async (
    more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>,
  ) => {
    const { choices, usage } = await client.chat.completions
      .create({ model, messages: story, ...more });
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

Deno.test("openai: chat draws words by seed and temperature", async () => {
  const ask = async (seed: number) => {
    const { choices } = await client.chat.completions.create({
      model,
      messages: story,
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

Deno.test("openai: chat takes several pictures, and instructions before the question", async () => {
  const other = dataUrl("chat/c2.png");
  const { choices, usage } = await client.chat.completions.create({
    model,
    max_tokens: 6,
    messages: [
      { role: "system", content: "Be brief." },
      ...asking([picture(image), picture(other), text("What?")]),
    ],
  });
  const captioned = await native("/v1/caption", {
    images: [image, other],
    question: "Be brief.\nWhat?",
    "max_tokens": 6,
  });
  strictEqual(choices[0]!.message.content, captioned.text);
  strictEqual(usage!.prompt_tokens, captioned.usage.prompt_tokens);
});

Deno.test("openai: a later question is about the picture that was shown before", async () => {
  const { choices } = await client.chat.completions.create({
    model,
    max_tokens: 6,
    messages: [
      ...story,
      { role: "assistant", content: "Once upon a time." },
      { role: "user", content: "What?" },
    ],
  });
  const captioned = await native("/v1/caption", {
    image,
    question: "What?",
    "max_tokens": 6,
  });
  strictEqual(choices[0]!.message.content, captioned.text);
});

Deno.test("openai: models.list() and retrieve() name the models", async () => {
  const { data } = await client.models.list();
  ok(data.some(({ id, object }) => id === model && object === "model"));
  strictEqual((await client.models.retrieve(model)).id, model);
  await rejects(client.models.retrieve("gpt-4o"), NotFoundError);
});

Deno.test("openai: errors have their class, status, code and our message", async () => {
  const unknown = await failure(
    client.images.generate({ prompt: "a fox", model: "gpt-image-2" }),
  );
  ok(unknown instanceof NotFoundError);
  strictEqual(unknown.status, 404);
  strictEqual(unknown.code, "unknown-model");
  strictEqual(unknown.type, "invalid_request_error");
  match(unknown.message, /^404 Cannot find model "gpt-image-2": .*emu3-tiny/);
  match(unknown.requestID!, /^[\w-]{8,}$/);
  const chatted = await failure(
    client.chat.completions.create({ model: "gpt-4o", messages: story }),
  );
  ok(chatted instanceof NotFoundError);
  const many = await failure(client.images.generate({ ...fox, n: 9 }));
  ok(many instanceof UnprocessableEntityError);
  strictEqual(many.param, "n");
  match(many.message, /^422 Cannot use request: \/n: expected 8 or less$/);
  const blind = await failure(
    client.chat.completions.create({ model, messages: asking([text("Hi")]) }),
  );
  ok(blind instanceof UnprocessableEntityError);
  match(blind.message, /this model answers questions about pictures/);
  ok(!blind.message.includes("Hi"));
});

Deno.test("openai: partial pictures cost a decoding each, and an error after them reaches the client", async () => {
  let decoded = 0;
  const app = withVision(server, (vision) => ({
    ...vision,
    decode: (grid, signal) => {
      if (grid.height === 6) throw new Error("a secret");
      decoded++;
      return vision.decode(grid, signal);
    },
  }));
  await using broken = listen(app);
  const stream = await clientOf(broken.url).images
    .generate({ ...fox, stream: true, partial_images: 3 });
  const events: string[] = [];
  const error = await failure((async () => {
    for await (const { type } of stream) events.push(type);
  })());
  deepStrictEqual(events, Array(3).fill("image_generation.partial_image"));
  strictEqual(decoded, 3);
  strictEqual(error.code, "internal");
  strictEqual(error.type, "server_error");
  match(error.message, /^Cannot answer: something unexpected/);
});

Deno.test("openai: an abort stops the model", async () => {
  const leave = new AbortController();
  const { signal } = leave;
  const drawing = client.images.generate({ ...fox, n: 8 }, { signal });
  const failed = rejects(drawing, APIUserAbortError);
  await server.busy();
  leave.abort();
  await failed;
  await server.idle();
  await until(() => server.trace.access.at(-1)!.status === 499);
  // It was not drawn to the end.
  strictEqual(server.trace.access.at(-1)!.tokens, undefined);
});

Deno.test("openai: leaving a stream stops the model", async () => {
  const stream = await client.chat.completions.create({
    model,
    messages: story,
    max_tokens: 2000,
    temperature: 2,
    seed: 1,
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

Deno.test("openai: a busy server is asked again when it says so", async () => {
  await using narrow = await listenTiny({}, { maxRequests: 1 });
  const leave = new AbortController();
  const first = await fetch(`${narrow.url}/v1/generate`, {
    ...json(endless, { accept: "text/event-stream" }),
    signal: leave.signal,
  });
  const drain = first.text().catch((error) => error);
  const once = await failure(clientOf(narrow.url).images.generate(fox));
  ok(once instanceof InternalServerError);
  deepStrictEqual([once.status, once.code], [503, "overloaded"]);
  strictEqual(once.headers?.get("retry-after"), "1");
  const statuses: number[] = [];
  const patient = clientOf(narrow.url, {
    maxRetries: 2,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      statuses.push(response.status);
      leave.abort();
      await narrow.idle();
      return response;
    },
  });
  const drawn = await patient.images.generate(fox);
  strictEqual(drawn.data?.length, 1);
  deepStrictEqual(statuses, [503, 200]);
  await drain;
});
