import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import * as v from "valibot";
import {
  parseFields,
  readBytes,
  readJson,
} from "../../../functions/http/body.ts";
import {
  BodyTooLargeError,
  BodyTooSlowError,
  InvalidFieldsError,
  MalformedBodyError,
  MediaTypeError,
} from "../../../functions/http/errors/errors.ts";
import { boundedList } from "../../../functions/schema/bounded_list.ts";
import { CaptionRequest } from "../../../functions/schema/caption.ts";
import { GenerateRequest } from "../../../functions/schema/generate.ts";

const Part = v.object({ url: v.pipe(v.string(), v.maxLength(9)) });

const Schema = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(3)),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  rows: v.optional(
    boundedList(
      boundedList(v.pipe(v.number(), v.maxValue(9)), { max: 1000 }),
      { max: 2 },
    ),
  ),
});

function post(body: BodyInit | null, headers: HeadersInit = {}): Request {
  return new Request("http://x/", { method: "POST", body, headers });
}

/** Returns a request whose body has no stated length. */
function chunked(...parts: string[]): Request {
  const stream = ReadableStream.from(parts)
    .pipeThrough(new TextEncoderStream());
  return post(stream);
}

function pointersOf(value: unknown): string[] {
  try {
    parseFields(Schema, value);
    return [];
  } catch (error) {
    ok(error instanceof InvalidFieldsError);
    return error.fields.map(({ pointer }) => pointer);
  }
}

Deno.test("readJson() fills in defaults", async () => {
  const type = { "content-type": "application/json" };
  const body = post('{"name":"a"}', type);
  deepStrictEqual(await readJson(body, Schema, 99), { name: "a", count: 1 });
});

Deno.test("readJson() refuses a body that is empty, truncated or not UTF-8", async () => {
  const bodies = ["", "{", '{"name": NaN}', "hello", "{}{}"];
  const type = { "content-type": "application/json" };
  for (const body of bodies) {
    await rejects(readJson(post(body, type), Schema, 99), MalformedBodyError);
  }
  const latin = post(Uint8Array.of(0x22, 0xe9, 0x22), type);
  await rejects(readJson(latin, Schema, 99), MalformedBodyError);
});

Deno.test("readJson() quotes nothing of a body that is not JSON", async () => {
  const secret = post("my secret prompt", { "content-type": "text/json+json" });
  await rejects(
    readJson(secret, Schema, 99),
    (error) => error instanceof Error && !error.message.includes("secret"),
  );
});

Deno.test("readJson() refuses other media types and encodings", async () => {
  for (
    const headers of [
      { "content-type": "text/plain" },
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "application/json", "content-encoding": "gzip" },
    ]
  ) {
    await rejects(readJson(post("{}", headers), Schema, 99), MediaTypeError);
  }
});

Deno.test("readBytes() refuses more than the limit, with or without Content-Length", async () => {
  strictEqual((await readBytes(chunked("12345", "67890"), 10)).length, 10);
  await rejects(readBytes(chunked("12345", "678901"), 10), BodyTooLargeError);
  const said = post("x", { "content-length": "11" });
  await rejects(readBytes(said, 10), BodyTooLargeError);
});

Deno.test("readBytes() reports a truncated body", async () => {
  const broken = new ReadableStream({
    pull: (controller) => controller.error(new TypeError("reset")),
  });
  await rejects(readBytes(post(broken), 10), MalformedBodyError);
});

/** Returns a body that sends `parts`, then stalls. */
function stalling(
  ...parts: string[]
): { request: Request; left: Promise<void> } {
  const left = Promise.withResolvers<void>();
  const stream = new ReadableStream({
    start: (controller) => {
      for (const part of parts) {
        controller.enqueue(new TextEncoder().encode(part));
      }
    },
    cancel: () => left.resolve(),
  });
  return { request: post(stream), left: left.promise };
}

Deno.test("readBytes() does not wait for a stalled body, and cancels it", async () => {
  const pace = { windowMs: 1, bytesPerSecond: 1000 };
  for (const parts of [[], ["some"], ["some", " more"]]) {
    const { request, left } = stalling(...parts);
    await rejects(readBytes(request, 99, { pace }), BodyTooSlowError);
    await left;
  }
});

Deno.test("parseFields() points at every invalid field", () => {
  deepStrictEqual(pointersOf({ name: "a", rows: [[1], [2, 10]] }), [
    "/rows/1/1",
  ]);
  deepStrictEqual(pointersOf({ name: 1, count: 1.5, other: 1 }), [
    "/name",
    "/count",
    "/other",
  ]);
  deepStrictEqual(pointersOf({}), ["/name"]);
  deepStrictEqual(pointersOf({ name: "a", "a/b~c": 1 }), ["/a~1b~0c"]);
  deepStrictEqual(pointersOf(JSON.parse('{"name":"a","__proto__":1}')), [
    "/__proto__",
  ]);
});

Deno.test("parseFields() refuses values other than objects", () => {
  for (const value of [[], null, 1, "text", [{}]]) {
    deepStrictEqual(pointersOf(value), [""]);
  }
});

Deno.test("parseFields() lists at most 32 errors", () => {
  const rows = [Array(100).fill(10), Array(100).fill(10)];
  const pointers = pointersOf({ name: "a", rows });
  strictEqual(pointers.length, 32);
  strictEqual(pointers[31], "/rows/0/31");
});

Deno.test("parseFields() never quotes the value that was sent", () => {
  throws(
    () => parseFields(Schema, { name: "my secret", count: "my secret" }),
    (error) =>
      error instanceof InvalidFieldsError &&
      !JSON.stringify([error.message, error.fields]).includes("secret"),
  );
});

Deno.test("parseFields() describes the expected value", () => {
  const detail = (value: unknown) => {
    try {
      parseFields(Schema, value);
    } catch (error) {
      if (error instanceof InvalidFieldsError) return error.fields[0]?.detail;
    }
  };
  strictEqual(detail({}), "is required");
  strictEqual(detail({ name: 1 }), "expected string");
  strictEqual(detail({ name: "long" }), "expected a length of 3 or less");
  strictEqual(detail({ name: "a", count: 0 }), "expected 1 or more");
  strictEqual(detail({ name: "a", count: 1.5 }), "expected a whole number");
  strictEqual(detail({ name: "a", x: 1 }), "unknown field");
});

const Either = v.strictObject({
  content: v.nullish(v.union([
    v.pipe(v.string(), v.maxLength(5)),
    boundedList(v.object({ image: v.union([v.string(), Part]) }), { max: 2 }),
  ])),
  labeled: v.optional(v.variant("type", [
    v.object({ type: v.literal("a"), size: v.number() }),
    v.object({ type: v.literal("b"), name: v.string() }),
  ])),
});

/** Returns the invalid fields of `value`, with the expectation of each. */
function refusals(value: unknown, schema: v.GenericSchema = Either) {
  try {
    parseFields(schema, value);
    return [];
  } catch (error) {
    ok(error instanceof InvalidFieldsError);
    return error.fields.map(({ pointer, detail }) => [pointer, detail]);
  }
}

Deno.test("parseFields() points into the alternative that was meant", () => {
  const cases: [unknown, string, string][] = [
    [{ content: 7 }, "/content", "expected string or array"],
    [{ content: {} }, "/content", "expected string or array"],
    [{ content: "too long" }, "/content", "expected a length of 5 or less"],
    [{ content: [{}, {}, {}] }, "/content", "expected a length of 2 or less"],
    [{ content: ["a"] }, "/content/0", "expected object"],
    [{ content: [["a"]] }, "/content/0", "expected object"],
    [{ content: [{}] }, "/content/0/image", "is required"],
    [
      { content: [{ image: 1 }] },
      "/content/0/image",
      "expected string or object",
    ],
    [{ content: [{ image: {} }] }, "/content/0/image/url", "is required"],
    [
      { content: [{ image: "a" }, { image: { url: 1 } }] },
      "/content/1/image/url",
      "expected string",
    ],
    [{ labeled: { type: "a", size: "1" } }, "/labeled/size", "expected number"],
    [{ labeled: { type: "b", name: 1 } }, "/labeled/name", "expected string"],
    [{ labeled: { type: "c" } }, "/labeled/type", 'expected "a" or "b"'],
  ];
  for (const [value, ...refusal] of cases) {
    deepStrictEqual(refusals(value)[0], refusal, JSON.stringify(value));
  }
});

Deno.test("parseFields() suggests the field that was meant", () => {
  const meant: [v.GenericSchema, object, string][] = [
    [GenerateRequest, { size: "1x1" }, "ratio"],
    [GenerateRequest, { "aspect_ratio": "1:1" }, "ratio"],
    [GenerateRequest, { "num_images": 2 }, "n"],
    [GenerateRequest, { ratoi: "1:1" }, "ratio"],
    [GenerateRequest, { "cfg_scale": 2 }, "guidance_scale"],
    [GenerateRequest, { negativeprompt: "" }, "negative_prompt"],
    [CaptionRequest, { prompt: "?" }, "question"],
    [CaptionRequest, { "image_url": "" }, "image"],
    [CaptionRequest, { "max_new_tokens": 1 }, "max_tokens"],
  ];
  for (const [schema, field, name] of meant) {
    const needed = schema === GenerateRequest ? { prompt: "a" } : {};
    const [[pointer, detail] = []] = refusals({ ...needed, ...field }, schema);
    strictEqual(pointer, `/${Object.keys(field)[0]}`);
    strictEqual(detail, `unknown field: did you mean ${name}?`);
  }
});

Deno.test("parseFields() suggests fields of nested objects, but not for dissimilar names", () => {
  const nested = { prompt: "a", prefix: { code: [[1]], codes: [[1]] } };
  deepStrictEqual(refusals(nested, GenerateRequest), [
    ["/prefix/code", "unknown field: did you mean codes?"],
  ]);
  deepStrictEqual(refusals({ prompt: "a", prefix: [[1]] }, GenerateRequest), [
    ["/prefix", "expected object"],
  ]);
  for (const name of ["unheard_of", "x".repeat(1e6), "constructor", ""]) {
    const [[, detail] = []] = refusals(
      { prompt: "a", [name]: 1 },
      GenerateRequest,
    );
    strictEqual(detail, "unknown field");
  }
});
