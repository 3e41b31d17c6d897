import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as v from "valibot";
import { parseFields } from "../../../../functions/http/body.ts";
import {
  ChatRequest,
  parsedQuestion,
} from "../../../../functions/compat/openai/chat_request.ts";
import { InvalidFieldsError } from "../../../../functions/http/errors/errors.ts";

const look = user(text("What is it?"), picture("a"));

function text(text: string) {
  return { type: "text", text };
}

function picture(url: string) {
  return { type: "image_url", "image_url": { url, detail: "auto" } };
}

function user(...content: object[]) {
  return { role: "user", content };
}

function asked(messages: object[], fields: object = {}) {
  return parsedQuestion(v.parse(ChatRequest, { messages, ...fields }));
}

/** Returns the pointer at which `messages` are refused. */
function refused(messages: object[], fields: object = {}): string {
  let pointer = "";
  throws(() => asked(messages, fields), (error) => {
    ok(error instanceof InvalidFieldsError);
    pointer = error.fields[0]!.pointer;
    return true;
  });
  return pointer;
}

Deno.test("parsedQuestion() returns the last question", () => {
  const { fields } = asked([
    user(text("Where?"), picture("a")),
    { role: "assistant", content: "There." },
    user(text("Who"), text("is it?")),
  ]);
  strictEqual(fields.question, "Who\nis it?");
});

Deno.test("parsedQuestion() returns the pictures that were shown last", () => {
  const { pictures } = asked([
    user(text("Where?"), picture("a")),
    user(picture("b"), text("And these?"), picture("c")),
    { role: "assistant", content: null },
    { role: "user", content: "Who?" },
  ]);
  deepStrictEqual(pictures, [
    { text: "b", pointer: "/messages/1/content/0/image_url/url" },
    { text: "c", pointer: "/messages/1/content/2/image_url/url" },
  ]);
});

Deno.test("parsedQuestion() accepts pictures in the forms of other libraries", () => {
  const parts: [object, string][] = [
    [{ type: "image_url", "image_url": "p" }, "image_url"],
    [{ type: "input_image", "image_url": "p" }, "image_url"],
    [{ type: "input_image", "image_url": { url: "p" } }, "image_url/url"],
    [{ type: "image", image: "p", mediaType: "image/png" }, "image"],
    [{ type: "image", "image_url": { url: "p" } }, "image_url/url"],
    [{ type: "image", url: "p" }, "url"],
    [{ type: "image", "source_type": "base64", data: "p" }, "data"],
    [{ type: "image", base64: "p", "mime_type": "image/png" }, "base64"],
    [{ type: "image", source: { type: "url", url: "p" } }, "source/url"],
    [{ type: "image", source: { type: "base64", data: "p" } }, "source/data"],
    [{ type: "file", mediaType: "image/png", data: "p" }, "data"],
    [{ type: "file", file: { "file_data": "p" } }, "file/file_data"],
  ];
  for (const [part, field] of parts) {
    const { fields, pictures } = asked([
      user({ type: "input_text", text: "Who?" }, part),
    ]);
    strictEqual(fields.question, "Who?");
    deepStrictEqual(pictures, [
      { text: "p", pointer: `/messages/0/content/1/${field}` },
    ]);
  }
});

Deno.test("ChatRequest points at the invalid field of a part", () => {
  const parts: [unknown, string][] = [
    [picture(7 as never), "/image_url/url"],
    [picture(""), "/image_url/url"],
    [{ type: "image_url", "image_url": {} }, "/image_url/url"],
    [{ type: "image_url", "image_url": 7 }, "/image_url"],
    [{ type: "text", text: 7 }, "/text"],
    [{ text: "Hi" }, "/type"],
    ["Hi", ""],
    [["Hi"], ""],
  ];
  for (const [part, field] of parts) {
    const body = { messages: [{ role: "user", content: [part] }] };
    throws(() => parseFields(ChatRequest, body), (error) => {
      ok(error instanceof InvalidFieldsError);
      deepStrictEqual(error.fields.map(({ pointer }) => pointer), [
        `/messages/0/content/0${field}`,
      ]);
      return true;
    });
  }
});

Deno.test("parsedQuestion() puts instructions before the question, except for the model's own prompt", () => {
  const { fields } = asked([
    { role: "system", content: "You are a helpful assistant." },
    { role: "system", content: [text("Be brief.")] },
    { role: "developer", content: "Be kind." },
    look,
  ]);
  strictEqual(fields.question, "Be brief.\nBe kind.\nWhat is it?");
});

Deno.test("parsedQuestion() defaults to a description", () => {
  const described = "Please describe the image";
  strictEqual(asked([user(picture("a"))]).fields.question, described);
  strictEqual(asked([user(text(""), picture("a"))]).fields.question, described);
});

Deno.test("parsedQuestion() accepts a question of text alone", () => {
  const { fields, pictures } = asked([user(text("Hi"))]);
  deepStrictEqual([fields.question, pictures], ["Hi", []]);
});

Deno.test("parsedQuestion() is greedy and bounded by default", () => {
  const usual = asked([look]).fields;
  deepStrictEqual([usual.temperature, usual.max_tokens], [0, 1024]);
  strictEqual(usual.stop, undefined);
  const told = asked([look], {
    "max_tokens": 5,
    "max_completion_tokens": 7,
    temperature: 1,
    "top_k": 9,
    "top_p": 0.5,
    seed: 3,
    stop: "x",
    template: "base",
    model: "emu3-tiny",
  }).fields;
  deepStrictEqual(told, {
    question: "What is it?",
    "max_tokens": 7,
    temperature: 1,
    "top_k": 9,
    "top_p": 0.5,
    seed: 3,
    stop: ["x"],
    template: "base",
    model: "emu3-tiny",
  });
  deepStrictEqual(asked([look], { stop: ["x", "y"] }).fields.stop, ["x", "y"]);
});

Deno.test("parsedQuestion() ignores null and unknown fields", () => {
  const nothing = Object.fromEntries(
    Object.keys(ChatRequest.entries)
      .filter((name) => name !== "messages").map((name) => [name, null]),
  );
  const unknown = { "frequency_penalty": 1, "parallel_tool_calls": true };
  deepStrictEqual(asked([look], { ...nothing, ...unknown }), asked([look]));
  deepStrictEqual(asked([look], { tools: [] }), asked([look]));
});

Deno.test("parsedQuestion() refuses fields that would have no effect", () => {
  const many = Array.from({ length: 9 }, (_, i) => picture(`${i}`));
  strictEqual(refused([look], { tools: [{ type: "function" }] }), "/tools");
  strictEqual(refused([user(text(" "))]), "/messages");
  strictEqual(
    refused([user(...many)]),
    "/messages/0/content/8/image_url/url",
  );
  strictEqual(
    refused([user(picture("a"), { type: "input_audio" })]),
    "/messages/0/content/1/type",
  );
  strictEqual(
    refused([look, user({ type: "image_url" })]),
    "/messages/1/content/0/image_url",
  );
  for (
    const [type, field] of [["input_image", "image_url"], ["image", "image"]]
  ) {
    strictEqual(
      refused([look, user({ type })]),
      `/messages/1/content/0/${field}`,
    );
  }
  strictEqual(
    refused([user({ type: "image", source: { type: "url" } })]),
    "/messages/0/content/0/source",
  );
  // An invalid part counts before a missing picture.
  strictEqual(
    refused([user(text("Hi"), { type: "input_audio" })]),
    "/messages/0/content/1/type",
  );
  strictEqual(
    refused([look, user({ type: "constructor" })]),
    "/messages/1/content/0/type",
  );
  strictEqual(
    refused([look, user({ type: "text" })]),
    "/messages/1/content/0/text",
  );
  // A picture is no question: a user turn must have text.
  strictEqual(
    refused([{ role: "assistant", content: [picture("a")] }]),
    "/messages",
  );
});

Deno.test("ChatRequest refuses unsupported features", () => {
  for (
    const fields of [
      { n: 2 },
      { "response_format": { type: "json_object" } },
      { stop: "" },
      { stop: ["a", "b", "c", "d", "e"] },
      { "max_tokens": 0 },
      { temperature: -1 },
      { messages: [] },
      { messages: "Hi" },
    ]
  ) {
    const whole = { messages: [look], ...fields };
    strictEqual(v.safeParse(ChatRequest, whole).success, false);
  }
  const plain = { messages: [look], n: 1, "response_format": { type: "text" } };
  strictEqual(v.safeParse(ChatRequest, plain).success, true);
});
