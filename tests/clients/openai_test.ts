/**
 * Compatibility tests of OpenAI's own client, unmodified, against a running
 * server: pictures, models, errors.
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
import {
  APIUserAbortError,
  InternalServerError,
  NotFoundError,
  UnprocessableEntityError,
} from "openai";
import { decodeImage } from "../../lib/image/decode.ts";
import {
  apiFailure,
  asking,
  native,
  openaiClient,
  STORY,
  STORY_PICTURE,
} from "../support/openai.ts";
import { withVision } from "../support/other_vision.ts";
import { listen, listenTiny } from "../support/tiny_http.ts";
import { json } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = openaiClient(server.url);

const GENERATE = `${server.url}/v1/generate`;
const model = "emu3-tiny";
const fox = { model, prompt: "a fox", size: "64x32" } as const;
const messages = [asking(STORY, STORY_PICTURE)];
/** Request of some thousand steps, far longer than a test. */
const endless = { prompt: "a fox", height: 512, width: 512 };

/** Adds fields outside of OpenAI's types, which the client passes on. */
function extra<T extends object>(fields: T, more: object): T {
  return { ...fields, ...more };
}

function pixels(base64: string | undefined) {
  const limits = { decode: "display", maxPixels: 2 ** 20 } as const;
  return decodeImage(Uint8Array.fromBase64(base64!), limits);
}

Deno.test("openai: images.generate() returns a URL of the picture, in every format", async () => {
  for (const format of ["png", "jpeg", "webp"] as const) {
    const asked = extra(fox, { seed: 5, "output_format": format });
    const inAnswer = await client.images.generate(asked);
    const byUrl = await client.images.generate({
      ...asked,
      response_format: "url",
    });
    strictEqual(byUrl.output_format, format);
    const answer = await fetch(byUrl.data![0]!.url!);
    strictEqual(answer.headers.get("content-type"), `image/${format}`);
    const bytes = await answer.bytes();
    strictEqual(bytes.toBase64(), inAnswer.data![0]!.b64_json);
  }
});

Deno.test("openai: images.generate() accepts negative seeds, top_p 0 and null for n", async () => {
  const fields = { seed: -7, "top_p": 0, n: null };
  const drawn = await client.images.generate(extra(fox, fields));
  strictEqual(Reflect.get(drawn, "seed"), 2 ** 53 - 7);
});

Deno.test("openai: models answer to their aliases", async () => {
  const aliases = new Map([["gpt-image-1", model], ["gpt-4o", model]]);
  await using named = await listenTiny({ aliases });
  const known = openaiClient(named.url);
  const asked = { ...fox, model: "gpt-image-1" };
  const drawn = await known.images.generate(asked);
  strictEqual(Reflect.get(drawn, "model"), model);
  const body = { model: "gpt-4o", messages, "max_tokens": 3 };
  strictEqual((await known.chat.completions.create(body)).model, model);
  strictEqual((await known.models.retrieve("gpt-4o")).id, model);
  await rejects(client.images.generate(asked), NotFoundError);
});

Deno.test("openai: images.generate() returns the pictures of generate", async () => {
  const seeded = { seed: 5, "guidance_scale": 2, "top_k": 64 };
  const drawn = await client.images.generate(extra(fox, seeded));
  const { images, usage } = await native(GENERATE, {
    prompt: "a fox",
    ratio: "2:1",
    ...seeded,
  });
  strictEqual(drawn.data?.length, 1);
  strictEqual(drawn.data[0]!.b64_json, images[0].b64_json);
  // The area is that of the checkpoint, 64 × 64, and the ratio the nearest in
  // codes.
  strictEqual(drawn.size, "88x48");
  strictEqual(drawn.output_format, "png");
  strictEqual(drawn.background, "opaque");
  strictEqual(Reflect.get(drawn, "seed"), 5);
  // Unix time in seconds, not milliseconds.
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

Deno.test("openai: images.generate() encodes JPEGs, smaller with compression", async () => {
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

Deno.test("openai: images.generate() streams partial pictures and the final one", async () => {
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
  // Six rows of eight pixels, with previews after two and after four.
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

Deno.test("openai: images.generate() streams several pictures, whose usages add up to the total", async () => {
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

Deno.test("openai: models.list() and retrieve() return the models", async () => {
  const { data } = await client.models.list();
  ok(data.some(({ id, object }) => id === model && object === "model"));
  strictEqual((await client.models.retrieve(model)).id, model);
  await rejects(client.models.retrieve("gpt-4o"), NotFoundError);
});

Deno.test("openai: errors carry the class, status, code and message of the server", async () => {
  const unknown = await apiFailure(
    client.images.generate({ prompt: "a fox", model: "gpt-image-2" }),
  );
  ok(unknown instanceof NotFoundError);
  strictEqual(unknown.status, 404);
  strictEqual(unknown.code, "unknown-model");
  strictEqual(unknown.type, "invalid_request_error");
  match(unknown.message, /^404 Cannot find model "gpt-image-2": .*emu3-tiny/);
  match(unknown.requestID!, /^[\w-]{8,}$/);
  const chatted = await apiFailure(
    client.chat.completions.create({ model: "gpt-4o", messages }),
  );
  ok(chatted instanceof NotFoundError);
  const many = await apiFailure(client.images.generate({ ...fox, n: 9 }));
  ok(many instanceof UnprocessableEntityError);
  strictEqual(many.param, "n");
  match(many.message, /^422 Cannot use request: \/n: expected 8 or less$/);
  const tools = [{
    type: "function" as const,
    function: { name: "look", description: "a secret" },
  }];
  const handy = await apiFailure(
    client.chat.completions.create({ model, messages, tools }),
  );
  ok(handy instanceof UnprocessableEntityError);
  strictEqual(handy.param, "tools");
  ok(!handy.message.includes("secret"));
  const silent = await apiFailure(
    client.chat.completions.create({ model, messages: [asking(" ")] }),
  );
  ok(silent instanceof UnprocessableEntityError);
  match(silent.message, /expected a question or an image/);
});

Deno.test("openai: partial pictures cost one decoding each, and an error after them reaches the client", async () => {
  let decoded = 0;
  const app = withVision(server, (vision) => ({
    ...vision,
    decode: (grid, signal) => {
      if (grid.height === 6) throw new Error("a secret");
      decoded++;
      return vision.decode(grid, signal);
    },
  }));
  await using broken = await listen(app);
  const stream = await openaiClient(broken.url).images
    .generate({ ...fox, stream: true, partial_images: 3 });
  const events: string[] = [];
  const error = await apiFailure((async () => {
    for await (const { type } of stream) events.push(type);
  })());
  deepStrictEqual(events, Array(3).fill("image_generation.partial_image"));
  strictEqual(decoded, 3);
  strictEqual(error.code, "internal");
  strictEqual(error.type, "server_error");
  match(error.message, /^Internal error: /);
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
  // The drawing was not completed.
  strictEqual(server.trace.access.at(-1)!.tokens, undefined);
});

Deno.test("openai: the client retries a busy server after its Retry-After", async () => {
  await using narrow = await listenTiny({}, { maxRequests: 1 });
  const leave = new AbortController();
  const first = await fetch(`${narrow.url}/v1/generate`, {
    ...json(endless, { accept: "text/event-stream" }),
    signal: leave.signal,
  });
  const drain = first.text().catch((error) => error);
  const once = await apiFailure(openaiClient(narrow.url).images.generate(fox));
  ok(once instanceof InternalServerError);
  deepStrictEqual([once.status, once.code], [503, "overloaded"]);
  strictEqual(once.headers?.get("retry-after"), "1");
  const statuses: number[] = [];
  const patient = openaiClient(narrow.url, {
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
