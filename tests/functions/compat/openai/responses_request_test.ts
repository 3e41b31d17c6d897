import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as v from "valibot";
import {
  responsesQuestion,
  ResponsesRequest,
} from "../../../../functions/compat/openai/responses_request.ts";
import { InvalidFieldsError } from "../../../../functions/http/errors/errors.ts";

function text(text: string) {
  return { type: "input_text", text };
}

function picture(url: string) {
  return { type: "input_image", "image_url": url, detail: "auto" };
}

function user(...content: object[]) {
  return { role: "user", content };
}

const look = user(text("What is it?"), picture("a"));

function asked(input: unknown, fields: object = {}) {
  return responsesQuestion(v.parse(ResponsesRequest, { input, ...fields }));
}

/** Returns the pointer at which a request is refused. */
function refused(input: unknown, fields: object = {}): string {
  let pointer = "";
  throws(() => asked(input, fields), (error) => {
    ok(error instanceof InvalidFieldsError);
    pointer = error.fields[0]!.pointer;
    return true;
  });
  return pointer;
}

Deno.test("responsesQuestion() treats a text as a user message", () => {
  deepStrictEqual(asked("Hi"), asked([{ role: "user", content: "Hi" }]));
  deepStrictEqual(asked("Hi"), asked([user(text("Hi"))]));
  deepStrictEqual(asked("Hi").pictures, []);
});

Deno.test("responsesQuestion() returns the last question, and the pictures that were shown last", () => {
  const { fields, pictures } = asked([
    { type: "message", ...look },
    { type: "reasoning", id: "rs_1", summary: [] },
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "A.", annotations: [] }],
    },
    { type: "item_reference", id: "msg_1" },
    user(text("And"), text("now?")),
  ]);
  strictEqual(fields.question, "And\nnow?");
  deepStrictEqual(pictures, [{
    text: "a",
    pointer: "/input/0/content/1/image_url",
  }]);
});

Deno.test("responsesQuestion() puts instructions before system messages, and both before the question", () => {
  const system = { role: "developer", content: "Be kind." };
  const { fields } = asked([system, look], { instructions: "Be brief." });
  strictEqual(fields.question, "Be brief.\nBe kind.\nWhat is it?");
});

Deno.test("responsesQuestion() passes on fields of caption", () => {
  const { fields } = asked([look], {
    "max_output_tokens": 5,
    temperature: 1,
    "top_k": 9,
    "top_p": 0.5,
    seed: 3,
    template: "base",
    model: "emu3-tiny",
  });
  deepStrictEqual(fields, {
    question: "What is it?",
    "max_tokens": 5,
    temperature: 1,
    "top_k": 9,
    "top_p": 0.5,
    seed: 3,
    template: "base",
    model: "emu3-tiny",
  });
});

Deno.test("responsesQuestion() ignores null and unknown fields", () => {
  const nothing = Object.fromEntries(
    Object.keys(ResponsesRequest.entries)
      .filter((name) => name !== "input").map((name) => [name, null]),
  );
  const unknown = {
    include: ["reasoning.encrypted_content"],
    reasoning: { effort: "low" },
    "prompt_cache_key": "k",
    "parallel_tool_calls": true,
    truncation: "auto",
    user: "u",
    store: false,
    tools: [],
    text: { format: { type: "text" }, verbosity: "low" },
  };
  deepStrictEqual(asked([look], { ...nothing, ...unknown }), asked([look]));
});

Deno.test("responsesQuestion() refuses fields that would have no effect", () => {
  const file = { type: "input_image", "file_id": "f" };
  for (
    const [pointer, fields] of [
      ["/tools", { tools: [{ type: "web_search" }] }],
      ["/background", { background: true }],
      ["/previous_response_id", { "previous_response_id": "resp_1" }],
      ["/conversation", { conversation: { id: "c" } }],
      ["/prompt", { prompt: { id: "p" } }],
    ] as const
  ) strictEqual(refused([look], fields), pointer);
  strictEqual(refused([user(file)]), "/input/0/content/0/file_id");
  strictEqual(
    refused([user({ type: "input_image" })]),
    "/input/0/content/0/image_url",
  );
  strictEqual(
    refused([user({ type: "input_file", "file_id": "f" })]),
    "/input/0/content/0/type",
  );
  strictEqual(
    refused([user({ type: "input_text" })]),
    "/input/0/content/0/text",
  );
  strictEqual(refused([{ content: "Hi" }]), "/input/0/role");
  strictEqual(refused([{ type: "function_call" }]), "/input/0/type");
  strictEqual(
    refused([{ type: "item_reference", id: "rs_1" }]),
    "/input/0/id",
  );
  strictEqual(refused(""), "/input");
  strictEqual(refused([{ role: "assistant", content: "Hi" }]), "/input");
  const many = Array.from({ length: 9 }, (_, i) => picture(`${i}`));
  strictEqual(refused([user(...many)]), "/input/0/content/8/image_url");
});

Deno.test("ResponsesRequest refuses unsupported features", () => {
  for (
    const fields of [
      { text: { format: { type: "json_schema" } } },
      { "max_output_tokens": 0 },
      { temperature: -1 },
      { input: [] },
      { input: 3 },
    ]
  ) {
    const whole = { input: "Hi", ...fields };
    strictEqual(v.safeParse(ResponsesRequest, whole).success, false);
  }
});
