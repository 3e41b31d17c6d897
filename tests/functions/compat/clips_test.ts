/** Clips by the protocols of other servers: KServe, MCP and Replicate. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readHeader } from "../../../lib/image/header.ts";
import { openClipServer, SMALL_CLIP } from "../../support/clip_server.ts";
import { codes, text } from "../../support/kserve.ts";
import { json } from "../../support/tiny_server.ts";

const server = await openClipServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const { prompt, ...options } = SMALL_CLIP;

// deno-lint-ignore no-explicit-any -- JSON
type Json = any;

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly fields: Json }> {
  const answer = await server.app.request(path, json(body, headers));
  return { status: answer.status, fields: await answer.json() };
}

const native = (await post("/v1/generate", SMALL_CLIP)).fields.clips[0];

Deno.test("KServe: generate answers the file and the codes of a clip, detokenize its frames", async () => {
  const { fields } = await post("/v2/models/generate/infer", {
    inputs: [text("prompt", prompt)],
    parameters: options,
  });
  const [image, drawn] = fields.outputs;
  deepStrictEqual(image.data, [native.b64_json]);
  deepStrictEqual(drawn.shape, [4, 2, 3]);
  deepStrictEqual(drawn.data.flat(3), native.clip.codes.flat(3));
  const { frames_per_code: perCode, fps } = fields.parameters;
  deepStrictEqual([perCode, fps], [1, 8]);
  const decoded = await post("/v2/models/detokenize/infer", {
    inputs: [codes(drawn.shape, drawn.data)],
    parameters: { "frames_per_code": perCode },
  });
  const [{ data: frames }] = decoded.fields.outputs;
  strictEqual(frames.length, 4);
  const grid = { codes: native.clip.codes[0] };
  const first = await post("/v1/detokenize", { grid }, {
    accept: "application/json",
  });
  strictEqual(frames[0], first.fields.b64_json);
});

Deno.test("KServe: generate answers codes of a clip alone, and continues given ones", async () => {
  const clip = {
    ...native.clip,
    frames: 2,
    codes: native.clip.codes.slice(0, 2),
  };
  const { fields } = await post("/v2/models/generate/infer", {
    inputs: [text("prompt", prompt)],
    parameters: { ...options, clip },
    outputs: [{ name: "codes" }],
  });
  strictEqual(fields.outputs.length, 1);
  const [{ data }] = fields.outputs;
  deepStrictEqual(
    data.flat(3).slice(0, 12),
    clip.codes.flat(3),
  );
});

Deno.test("KServe: generate refuses several clips", async () => {
  const { status, fields } = await post("/v2/models/generate/infer", {
    inputs: [text("prompt", prompt)],
    parameters: { ...options, n: 2 },
  });
  strictEqual(status, 422);
  match(JSON.stringify(fields), /single clip/);
});

async function call(args: object) {
  const { fields } = await post("/mcp", {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "generate_image", arguments: args },
  }, { accept: "application/json" });
  return fields.result;
}

Deno.test("MCP: generate_image answers a clip as an animation, a GIF by default", async () => {
  for (
    const [format, type] of [[undefined, "image/gif"], ["apng", "image/apng"]]
  ) {
    const { content, structuredContent } = await call({
      ...SMALL_CLIP,
      "output_format": format,
    });
    const [image] = content.filter(({ type }: Json) => type === "image");
    strictEqual(image.mimeType, type);
    const { frames } = readHeader(Uint8Array.fromBase64(image.data));
    strictEqual(frames, 4);
    deepStrictEqual(structuredContent.images, []);
    deepStrictEqual(structuredContent.clips, [
      { height: 16, width: 24, frames: 4, fps: 8 },
    ]);
  }
});

Deno.test("MCP: generate_image refuses files of clips that are no pictures", async () => {
  const answer = await call({ ...SMALL_CLIP, "output_format": "zip" });
  strictEqual(answer.isError, true);
  match(JSON.stringify(answer.content), /gif or apng/);
});

Deno.test("Replicate: a prediction with frames answers a clip, by their names of fields", async () => {
  for (const name of ["frames", "num_frames"]) {
    const { frames, ...input } = SMALL_CLIP;
    const { fields } = await post("/predictions", {
      input: { ...input, [name]: frames },
    });
    strictEqual(fields.status, "succeeded", JSON.stringify(fields));
    deepStrictEqual(fields.output, [
      `data:image/apng;base64,${native.b64_json}`,
    ]);
  }
});

Deno.test("Replicate: a prediction continues the frames of its context", async () => {
  const { fields } = await post("/predictions", {
    input: { ...SMALL_CLIP, frames: 6, context: [native.b64_json] },
  });
  strictEqual(fields.status, "succeeded", JSON.stringify(fields));
  const [url] = fields.output;
  const [, base64] = url.split(",");
  const header = readHeader(Uint8Array.fromBase64(base64));
  deepStrictEqual([header.frames, header.height, header.width], [6, 16, 24]);
  const events = await server.app.request(`/predictions/${fields.id}/stream`);
  ok((await events.text()).includes("data:image/apng;base64,"));
});
