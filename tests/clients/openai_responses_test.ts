/**
 * Compatibility tests of OpenAI's own client, unmodified: the Responses API.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type OpenAI from "openai";
import {
  apiFailure,
  native,
  openaiClient,
  STORY as question,
  STORY_PICTURE as image,
} from "../support/openai.ts";
import { listenTiny } from "../support/tiny_http.ts";
import { until } from "../support/until.ts";

const server = await listenTiny();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = openaiClient(server.url);

const model = "emu3-tiny";
const input: OpenAI.Responses.ResponseInput = [{
  role: "user",
  content: [
    { type: "input_text", text: question },
    { type: "input_image", image_url: image, detail: "auto" },
  ],
}];

Deno.test("openai: responses.create() returns the answer of caption", async () => {
  const response = await client.responses.create({
    model,
    input,
    store: false,
    metadata: { topic: "story" },
  });
  const captioned = await native(`${server.url}/v1/caption`, {
    image,
    question,
  });
  strictEqual(response.output_text, captioned.text);
  deepStrictEqual(
    [response.status, response.model, response.metadata],
    ["completed", model, { topic: "story" }],
  );
  const { prompt_tokens: prompt, completion_tokens: completion } =
    captioned.usage;
  deepStrictEqual(
    [response.usage!.input_tokens, response.usage!.output_tokens],
    [prompt, completion],
  );
  strictEqual(response.usage!.total_tokens, prompt + completion);
});

Deno.test("openai: responses.stream() collects the answer of create()", async () => {
  const whole = await client.responses.create({ model, input });
  const deltas: string[] = [];
  const stream = client.responses.stream({ model, input })
    .on("response.output_text.delta", ({ delta }) => void deltas.push(delta));
  const gathered = await stream.finalResponse();
  strictEqual(gathered.output_text, whole.output_text);
  strictEqual(deltas.join(""), whole.output_text);
  ok(deltas.length > 4, "it comes in parts");
  deepStrictEqual(gathered.usage, whole.usage);
});

Deno.test("openai: a follow-up response refers to the picture of an earlier message", async () => {
  const first = await client.responses.create({ model, input });
  const later = await client.responses.create({
    model,
    instructions: "Be brief.",
    input: [
      ...input,
      ...first.output.filter((item) => item.type === "message"),
      { role: "user", content: "What?" },
    ],
    max_output_tokens: 6,
  });
  const captioned = await native(`${server.url}/v1/caption`, {
    image,
    question: "Be brief.\nWhat?",
    "max_tokens": 6,
  });
  strictEqual(later.output_text, captioned.text);
});

Deno.test("openai: fields that require stored responses are rejected by name, stored responses are not found", async () => {
  const earlier = await apiFailure(client.responses.create({
    model,
    input,
    previous_response_id: "resp_1",
  }));
  deepStrictEqual([earlier.status, earlier.param], [
    422,
    "previous_response_id",
  ]);
  const read = await apiFailure(client.responses.retrieve("resp_1"));
  const cancelled = await apiFailure(client.responses.cancel("resp_1"));
  deepStrictEqual([read.status, cancelled.status], [404, 404]);
});

Deno.test("openai: closing a response stream stops the model", async () => {
  const stream = await client.responses.create({
    model,
    input,
    max_output_tokens: 2000,
    temperature: 2,
    stream: true,
  });
  for await (const _ of stream) break;
  await server.idle();
  await until(() => server.trace.access.at(-1)?.status === 499);
  strictEqual(server.trace.access.at(-1)!.path, "/v1/responses");
  deepStrictEqual(server.trace.failures, []);
});
