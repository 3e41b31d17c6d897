/**
 * The bodies that cost more than their bytes, on every surface: each is refused
 * with the right problem and few issues.
 */

import { ok, strictEqual } from "node:assert/strict";
import {
  MAX_FIELD_ERRORS,
  MAX_JSON_NODES,
  MAX_JSON_VALUES,
  MAX_TEXT,
  MAX_TOKENIZED_TEXT,
} from "../../functions/http/body_limits.ts";
import { openTinyServer } from "../support/tiny_server.ts";

const limits = { maxBodyBytes: 2 ** 23, maxPixels: 2 ** 20 };
const server = await openTinyServer({ limits });
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const JSON_TYPE = { "content-type": "application/json" };
const MCP_TYPES = { accept: "application/json, text/event-stream" };

async function post(
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
) {
  const response = await server.app.request(path, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, text };
}

/** Returns a list of `count` items as JSON. */
function listOf(item: string, count: number): string {
  return `[${Array(count).fill(item).join()}]`;
}

const strings = listOf(listOf('""', 1000), 20);
const zeros = listOf("0", MAX_JSON_VALUES - 100);
const picture = '{"type":"image_url","image_url":{"url":"data:,"}}';

const tool = (name: string, args: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`;
const infer = (parameters: string) =>
  `{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a"]}],"parameters":${parameters}}`;

/** Lists with many invalid items, or too many, by surface. */
const LISTS: readonly (readonly [string, string, Record<string, string>?])[] = [
  ["/v1/detokenize", `{"grid":{"codes":${strings}}}`],
  ["/v1/detokenize", `{"grid":{"codes":[${zeros}]}}`],
  ["/v1/detokenize", `{"clip":{"codes":[${strings}]}}`],
  ["/v1/detokenize", `{"tokens":${zeros}}`],
  ["/v1/detokenize", `{"tokens":${listOf('""', 20_000)}}`],
  ["/v1/caption", `{"grids":${zeros}}`],
  ["/v1/caption", `{"images":${zeros}}`],
  ["/v1/score", `{"prompt":"a","grid":{"codes":${strings}}}`],
  ["/v1/tokenize", `{"frames":${zeros}}`],
  ["/v1/tokenize", `{"prompt":{"prompt":"a","prefix":{"codes":${strings}}}}`],
  ["/v1/generate", `{"prompt":"a","prefix":{"codes":${strings}}}`],
  [
    "/v1/generate",
    `{"prompt":"a","webhook":{"url":"https://x.y","events":${zeros}}}`,
    { prefer: "respond-async" },
  ],
  ["/v1/chat/completions", `{"messages":${zeros}}`],
  ["/v1/chat/completions", `{"messages":${listOf("0", 1024)}}`],
  ["/v1/chat/completions", `{"messages":[{"role":"user","content":${zeros}}]}`],
  [
    "/v1/chat/completions",
    `{"messages":[],"stop":${zeros},"tools":${zeros.slice(0, 99)}0]}`,
  ],
  ["/v1/images/generations", `{"prompt":${zeros}}`],
  ["/v1/generate", `{"prompt":"a","keep":{"codes":${strings}}}`],
  ["/v1/generate", `{"prompt":"a","keep":{"codes":[${zeros}]}}`],
  ["/v1/images/edits", `{"prompt":"a","images":${zeros}}`],
  ["/v1/images/edits", `{"prompt":"a","mask":${zeros}}`],
  ["/v1/images/variations", `{"images":${zeros}}`],
  ["/v1/responses", `{"input":${zeros}}`],
  ["/v1/responses", `{"input":[{"role":"user","content":${zeros}}]}`],
  ["/v1/responses", `{"input":"a","tools":${zeros}}`],
  ["/predictions", `{"input":{},"webhook_events_filter":${zeros}}`],
  ["/v2/models/generate/infer", infer(`{"prefix":{"codes":${strings}}}`)],
  ["/v2/models/generate/infer", `{"inputs":${zeros}}`],
  [
    "/v2/models/generate/infer",
    `{"inputs":[{"name":"a","datatype":"BYTES","shape":${zeros}}]}`,
  ],
];

for (const [path, body, headers] of LISTS) {
  Deno.test(`${path} reports a bounded number of errors in ${body.slice(0, 60)}…`, async () => {
    const { status, text } = await post(path, body, headers);
    strictEqual(status, 422, text.slice(0, 500));
    const { errors } = JSON.parse(text);
    ok(errors.length <= MAX_FIELD_ERRORS, `${errors.length}`);
  });
}

Deno.test("POST /mcp reports few of many issues to a tool's caller", async () => {
  for (
    const args of [
      `{"grid":{"codes":${strings}}}`,
      `{"grid":{"codes":${zeros}}}`,
    ]
  ) {
    const body = tool("detokenize_image", args);
    const { status, text } = await post("/mcp", body, MCP_TYPES);
    strictEqual(status, 200);
    ok(text.includes("isError") && text.length < 2000, text.slice(0, 300));
  }
});

/** Bodies with more structure than any request needs, by surface. */
const STRUCTURES = [
  listOf("{}", MAX_JSON_NODES + 1),
  listOf("[]", MAX_JSON_NODES + 1),
  `{"prompt":${listOf('"a"', MAX_JSON_NODES + 1)}}`,
  `{"prompt":${listOf("0", MAX_JSON_VALUES + 1)}}`,
  "[".repeat(10 ** 6),
  '{"a":'.repeat(10 ** 6),
  `{${
    Array.from({ length: MAX_JSON_NODES + 1 }, (_, i) => `"${i}":0`).join()
  }}`,
];
const JSON_PATHS = [
  "/v1/generate",
  "/v1/caption",
  "/v1/tokenize",
  "/v1/detokenize",
  "/v1/score",
  "/v1/chat/completions",
  "/v1/responses",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
  "/predictions",
  "/v2/models/generate/infer",
  "/mcp",
];

for (const path of JSON_PATHS) {
  Deno.test(`${path} refuses JSON that exceeds the limits of structure`, async () => {
    for (const body of STRUCTURES) {
      const { status, text } = await post(path, body, MCP_TYPES);
      strictEqual(status, 413, text.slice(0, 500));
      ok(text.includes("it has more than"));
    }
  });
}

Deno.test("Prefer: respond-async refuses JSON with more structure than the limit", async () => {
  for (const body of STRUCTURES) {
    const { status } = await post("/v1/generate", body, {
      prefer: "respond-async",
    });
    strictEqual(status, 413);
  }
});

Deno.test("POST /mcp passes no more values to the protocol's package than a message needs", async () => {
  const info = `{"name":"a","version":"1","icons":${listOf("0", 2000)}}`;
  const body =
    `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1","capabilities":{},"clientInfo":${info}}}`;
  strictEqual((await post("/mcp", body, MCP_TYPES)).status, 413);
});

Deno.test("POST /v1/tokenize accepts any text up to the length of a context", async () => {
  for (const unit of ["\n", " ", "a", "中", "😀", "\u0301\u0316"]) {
    const text = unit.repeat(MAX_TOKENIZED_TEXT / unit.length);
    const longest = await post("/v1/tokenize", JSON.stringify({ text }));
    strictEqual(longest.status, 200);
    const longer = await post(
      "/v1/tokenize",
      JSON.stringify({ text: `${text} ` }),
    );
    strictEqual(longer.status, 422);
  }
});

Deno.test("/v1/chat/completions refuses instructions and question that are too long together", async () => {
  const system = `{"role":"system","content":"${"a".repeat(MAX_TEXT / 2)}"}`;
  const user =
    `{"role":"user","content":[{"type":"text","text":"?"},${picture}]}`;
  const body = `{"messages":[${system},${system},${user}]}`;
  const { status, text } = await post("/v1/chat/completions", body);
  strictEqual(status, 422);
  ok(text.includes("instructions and the question"));
});

Deno.test("POST /v1/tokenize refuses a form of many parts, with and without a key", async () => {
  const type = { "content-type": "multipart/form-data; boundary=a" };
  const part = '--a\r\nContent-Disposition: form-data; name="x"\r\n\r\nx\r\n';
  for (
    const body of [part.repeat(50_000) + "--a--", "\r\n--a\r\n".repeat(10 ** 6)]
  ) {
    for (const path of ["/v1/tokenize", "/v1/caption", "/files"]) {
      strictEqual((await post(path, body, type)).status, 413);
      const keyed = { ...type, "idempotency-key": path };
      strictEqual((await post(path, body, keyed)).status, 413);
    }
  }
});

Deno.test("POST /v1/detokenize counts a JSON field of a form like a body", async () => {
  const type = { "content-type": "multipart/form-data; boundary=a" };
  const field = (value: string) =>
    `--a\r\nContent-Disposition: form-data; name="grid"\r\n\r\n${value}\r\n--a--`;
  for (const value of STRUCTURES) {
    strictEqual((await post("/v1/caption", field(value), type)).status, 413);
  }
});

Deno.test("POST infer refuses many text elements", async () => {
  const count = 10 ** 6;
  const header = JSON.stringify({
    inputs: [{
      name: "text",
      shape: [count],
      datatype: "BYTES",
      parameters: { "binary_data_size": 4 * count },
    }],
  });
  const body = new Blob([header, new Uint8Array(4 * count)]);
  const { status } = await post("/v2/models/tokenize/infer", body, {
    "content-type": "application/octet-stream",
    "inference-header-content-length": `${header.length}`,
  });
  strictEqual(status, 422);
});
