/** The laws of a clip's codes and files: what `generate` answers, others accept. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { DIGITAL_SOURCE_TYPE } from "../../functions/inference/image_metadata.ts";
import { readPng } from "../../functions/playground/logic/png_text.js";
import { FRAMES_PER_SECOND } from "../../functions/inference/clips/clip_files.ts";
import { openClipServer, SMALL_CLIP } from "../support/clip_server.ts";
import { bytes, json } from "../support/tiny_server.ts";

const server = await openClipServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

/** A request at the rate of bare codes, which have none. */
const plain = { ...SMALL_CLIP, metadata: false, fps: FRAMES_PER_SECOND };

async function generate(body: object, accept: string): Promise<Response> {
  const answer = await server.app.request(
    "/v1/generate",
    json(body, { accept }),
  );
  strictEqual(answer.status, 200);
  return answer;
}

/** Returns the headers of an answer that describe its codes. */
function gridHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("x-grid-")),
  );
}

Deno.test("POST /v1/detokenize decodes the bytes of a generated clip by their headers", async () => {
  const file = await generate(plain, "image/apng");
  const codes = await generate(plain, "application/octet-stream");
  deepStrictEqual(gridHeaders(file), gridHeaders(codes));
  const init = bytes(await codes.bytes(), "application/octet-stream", {
    ...gridHeaders(codes),
    accept: "image/apng",
  });
  for (const prefer of [{}, { prefer: "wait=60" }]) {
    const headers = { ...init.headers, ...prefer };
    const answer = await server.app.request("/v1/detokenize", {
      ...init,
      headers,
    });
    strictEqual(answer.status, 200);
    deepStrictEqual(
      await answer.bytes(),
      await file.clone().bytes(),
      JSON.stringify(prefer),
    );
  }
});

Deno.test("POST /v1/detokenize refuses a header of frames per code that no codes have", async () => {
  const codes = await generate(plain, "application/octet-stream");
  for (const wrong of ["3", "many", "0"]) {
    const answer = await server.app.request(
      "/v1/detokenize",
      bytes(await codes.clone().bytes(), "application/octet-stream", {
        ...gridHeaders(codes),
        "x-grid-frames-per-code": wrong,
      }),
    );
    strictEqual(answer.status, 422);
    const { errors } = await answer.json();
    strictEqual(errors[0].pointer, "/frames_per_code");
  }
});

Deno.test("POST /v1/generate embeds the settings of a clip, which draw it again", async () => {
  const file = await generate(SMALL_CLIP, "image/apng");
  const { texts } = (await readPng(await file.bytes()))!;
  const { seed, frames, grid } = JSON.parse(texts["parameters"]!);
  deepStrictEqual(
    { seed, frames, grid },
    { seed: 5, frames: 4, grid: { height: 2, width: 3 } },
  );
  ok(texts["XML:com.adobe.xmp"]!.includes(DIGITAL_SOURCE_TYPE));
  const gif = await generate(SMALL_CLIP, "image/gif");
  ok(new TextDecoder().decode(await gif.bytes()).includes(DIGITAL_SOURCE_TYPE));
});

Deno.test("POST /v1/generate embeds nothing in a clip without metadata", async () => {
  const file = await generate(plain, "image/apng");
  deepStrictEqual((await readPng(await file.bytes()))!.texts, {});
  const gif = await generate(plain, "image/gif");
  ok(!new TextDecoder().decode(await gif.bytes()).includes("XMP"));
});

Deno.test("The first frames of a clip sampled token by token, given with its seed, are continued by the rest of it", async () => {
  const drawn = { ...SMALL_CLIP, strategy: "autoregressive" };
  const whole = await (await generate(drawn, "application/json")).json();
  const { clip } = whole.clips[0];
  for (const frames of [1, 3]) {
    const { codes } = clip;
    const given = { "frames_per_code": 1, codes: codes.slice(0, frames) };
    const body = { ...drawn, clip: given };
    const rest = await (await generate(body, "application/json")).json();
    deepStrictEqual(rest.clips[0].clip.codes, codes);
  }
});
