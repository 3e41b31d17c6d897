/**
 * The recorded bodies of `POST /v1/responses` from clients: LangChain
 * (`@langchain/openai` 1.6), the AI SDK (`@ai-sdk/openai`), and n8n's node for
 * OpenAI.
 *
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { goldenPath } from "../../../support/golden.ts";
import { json, openTinyServer } from "../../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const image = (await Deno.readFile(goldenPath("chat/c1.png"))).toBase64();
const url = `data:image/png;base64,${image}`;
const model = "emu3-tiny";

const looked = {
  role: "user",
  content: [
    { type: "input_text", text: "What?" },
    { type: "input_image", "image_url": url },
  ],
};
const and = { role: "user", content: [{ type: "input_text", text: "And?" }] };

/** Bodies by client, with their question. */
const BODIES: readonly (readonly [client: string, question: string, object])[] =
  [
    ["LangChain, with a system's message", "Be brief.\nWhat?", {
      input: [
        { type: "message", role: "system", content: "Be brief." },
        { type: "message", ...looked },
      ],
      stream: false,
      text: {},
    }],
    ["LangChain, a later turn", "And?", {
      input: [
        { type: "message", ...looked },
        {
          id: "msg_cap-1",
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{
            type: "output_text",
            text: "A.",
            annotations: [],
            logprobs: [],
          }],
        },
        { type: "message", role: "user", content: "And?" },
      ],
      stream: false,
      text: {},
    }],
    ["LangChain, with a part of a chat", "What?", {
      input: [{
        type: "message",
        role: "user",
        content: [
          looked.content[0],
          { type: "image_url", "image_url": { url } },
        ],
      }],
      stream: false,
      text: {},
    }],
    ["the AI SDK, with a system's message", "Be brief.\nWhat?", {
      input: [{ role: "system", content: "Be brief." }, looked],
    }],
    ["the AI SDK, a later turn by reference", "And?", {
      input: [looked, { type: "item_reference", id: "msg_cap-1" }, and],
    }],
    ["n8n", "What?", {
      input: [{
        role: "user",
        content: [
          looked.content[0],
          { type: "input_image", detail: "auto", "image_url": url },
        ],
      }],
      background: false,
      store: true,
      tools: [],
      text: { format: { type: "text" } },
    }],
  ];

for (const [client, question, body] of BODIES) {
  Deno.test(`/v1/responses answers as caption does to ${client}`, async () => {
    const asked = { ...body, model, "max_output_tokens": 6 };
    const answer = await server.app.request("/v1/responses", json(asked));
    strictEqual(answer.status, 200, await answer.clone().text());
    const { output } = await answer.json();
    const captioned = await server.app.request(
      "/v1/caption",
      json({ image, question, "max_tokens": 6 }),
    );
    strictEqual(output[0].content[0].text, (await captioned.json()).text);
  });
}
