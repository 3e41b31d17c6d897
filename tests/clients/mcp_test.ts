/**
 * Compatibility tests of the Model Context Protocol's official client with the
 * whole application, over real sockets.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Progress } from "@modelcontextprotocol/sdk/types";
import { decodeImage } from "../../lib/image/decode.ts";
import { goldenPath } from "../support/golden.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { listen } from "../support/tiny_http.ts";
import { idleEngine } from "../support/idle.ts";

const server = await openTinyServer();
const http = await listen(server.app);
const url = http.url;
const { engine } = server.services.imageGenerator(undefined).language;
const client = await connect();
globalThis.addEventListener("unload", async () => {
  await client.close();
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Arguments of some thousand steps, far longer than the test. */
const long = { prompt: "a fox", height: 512, width: 512, seed: 1 };
const short = { prompt: "a fox", height: 32, width: 32, seed: 1 };
const picture = (await Deno.readFile(goldenPath("chat/c0.png"))).toBase64();

async function connect(): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
  );
  return client;
}

// deno-lint-ignore no-explicit-any -- results are as the tool says
function call(name: string, args: Record<string, unknown>): Promise<any> {
  return client.callTool({ name, arguments: args });
}

/** Returns the answer of the native endpoint. */
// deno-lint-ignore no-explicit-any -- JSON
async function native(path: string, body: unknown): Promise<any> {
  const answer = await fetch(`${url}${path}`, {
    ...json(body, { accept: "application/json" }),
  });
  return await answer.json();
}

Deno.test("tools/list returns four tools with input schemas", async () => {
  const { tools } = await client.listTools();
  deepStrictEqual(tools.map(({ name }) => name), [
    "generate_image",
    "caption_image",
    "tokenize_image",
    "detokenize_image",
  ]);
  const { inputSchema } = tools[0]!;
  deepStrictEqual(inputSchema.required, ["prompt"]);
  deepStrictEqual(inputSchema.properties!["seed"], {
    type: "integer",
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description:
      "Random seed. The same seed gives the same codes. Random by default.",
  });
});

Deno.test("generate_image returns the picture of the native endpoint", async () => {
  const { content, structuredContent } = await call("generate_image", {
    ...short,
    n: 2,
  });
  const { images, seed } = await native("/v1/generate", { ...short, n: 2 });
  deepStrictEqual(
    content.slice(0, 2),
    images.map(({ b64_json: data }: { b64_json: string }) => ({
      type: "image",
      data,
      mimeType: "image/png",
    })),
  );
  const { model: _, ...fields } = structuredContent;
  deepStrictEqual(fields, {
    seed,
    strategy: "jacobi",
    lossless: true,
    images: [{ height: 32, width: 32 }, { height: 32, width: 32 }],
  });
  deepStrictEqual(JSON.parse(content[2].text), structuredContent);
});

Deno.test("generate_image reports progress at every row", async () => {
  const heard: Progress[] = [];
  await client.callTool(
    { name: "generate_image", arguments: short },
    undefined,
    { onprogress: (progress) => void heard.push(progress) },
  );
  const rows = engineRows(short);
  deepStrictEqual(
    heard.map(({ progress }) => progress),
    Array.from({ length: rows + 1 }, (_, i) => i),
  );
  deepStrictEqual(new Set(heard.map(({ total }) => total)), new Set([rows]));
  strictEqual(heard.at(-1)!.message, `${rows} of ${rows} rows generated`);
});

function engineRows({ height }: { height: number }): number {
  return height / server.services.vision(undefined).pixelsPerCode;
}

Deno.test("caption_image returns the answer of the native endpoint", async () => {
  const question = { image: picture, question: "What is it?", "max_tokens": 8 };
  const heard: Progress[] = [];
  const { content, structuredContent } = await client.callTool(
    { name: "caption_image", arguments: question },
    undefined,
    { onprogress: (progress) => void heard.push(progress) },
  );
  const { text, finish_reason } = await native("/v1/caption", question);
  deepStrictEqual(content, [{ type: "text", text }]);
  deepStrictEqual(structuredContent, {
    model: "emu3-tiny",
    text,
    "finish_reason": finish_reason,
  });
  ok(heard.length > 0);
});

Deno.test("detokenize_image decodes the codes of tokenize_image", async () => {
  const { structuredContent } = await call("tokenize_image", {
    image: `data:image/png;base64,${picture}`,
  });
  const { grid } = await native("/v1/tokenize", { image: picture });
  deepStrictEqual(structuredContent.grid, grid);
  const { content } = await call("detokenize_image", { grid });
  const { b64_json: data } = await native("/v1/detokenize", { grid });
  strictEqual(content[0].data, data);
  const image = await decodeImage(Uint8Array.fromBase64(data), {
    decode: "display",
    maxPixels: 2 ** 20,
  });
  deepStrictEqual(JSON.parse(content[1].text), {
    model: structuredContent.model,
    height: image.height,
    width: image.width,
  });
});

Deno.test("tools/call reports failures in its result", async () => {
  const refused: [string, Record<string, unknown>, RegExp][] = [
    ["generate_image", {}, /^Cannot use request: \/prompt: is required$/],
    ["generate_image", { ...short, seed: -1 }, /\/seed: expected 0 or more/],
    ["generate_image", { ...short, model: "other" }, /model "other"/],
    ["caption_image", {}, /\/image: is required unless/],
    ["caption_image", { image: "?" }, /\/image: expected a data URL/],
    ["tokenize_image", { image: "AAAA" }, /^Cannot read image/],
    ["detokenize_image", { grid: { codes: [[65_535]] } }, /expected a code/],
  ];
  for (const [name, args, message] of refused) {
    const { isError, content } = await call(name, args);
    ok(isError);
    match(content[0].text, message);
  }
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("tools/call rejects an unknown tool by its name", async () => {
  const error = await call("paint", {}).catch((error) => error);
  match(
    error.message,
    /Cannot find tool "paint": available tools are generate_image/,
  );
});

Deno.test("notifications/cancelled cancels the run", async () => {
  const leave = new AbortController();
  const drawn = client.callTool(
    { name: "generate_image", arguments: long },
    undefined,
    {
      signal: leave.signal,
      onprogress: ({ progress }) => {
        if (progress === 1) leave.abort("enough");
      },
    },
  ).catch((error) => error);
  match((await drawn).message, /enough/);
  await idleEngine(engine);
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("tools/call cancels the run when its client disconnects", async () => {
  const other = await connect();
  const started = Promise.withResolvers<void>();
  const drawn = other.callTool(
    { name: "generate_image", arguments: long },
    undefined,
    { onprogress: () => started.resolve() },
  ).catch((error) => error);
  await started.promise;
  strictEqual(engine.state.running, 1);
  await other.close();
  ok(await drawn instanceof Error);
  await idleEngine(engine);
});

Deno.test("functions/docs/clients.md has an example that draws a picture", async () => {
  const readme = await Deno.readTextFile(
    new URL("../../functions/docs/clients.md", import.meta.url),
  );
  const code = readme.split("```js ignore\n").map((block) =>
    block.split("```")[0]!
  )
    .find((block) => block.includes("StreamableHTTPClientTransport"))!
    .replace("http://127.0.0.1:8080", url);
  const module = `${code}\nexport { client, content };`;
  const example = await import(
    `data:text/javascript,${encodeURIComponent(module)}`
  );
  strictEqual(example.content[0].mimeType, "image/png");
  await example.client.close();
});
