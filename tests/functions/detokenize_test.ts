import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { unzipSync } from "fflate";
import { writeNpy } from "../../lib/npy.ts";
import { decodeFrames, decodeImage } from "../../lib/image/decode.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import { framesOfApng } from "../../functions/playground/logic/apng.js";
import { goldenPath, TINY_VOCABULARY } from "../support/golden.ts";
import { int32, readSafetensors } from "../support/safetensors.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { bytes, json, openTinyServer } from "../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const anyOptions = { decode: "display", maxPixels: 2 ** 20 } as const;
const tensors = readSafetensors(goldenPath("vq.safetensors"));

/** A grid of 7 × 9 codes, and its picture in the reference. */
const codes = Uint16Array.from(int32(tensors, "im2_text_72x56.codes"));
const grid = { height: 7, width: 9, codes: rows([...codes], 9) };
const expected = await decodeImage(
  Deno.readFileSync(goldenPath("vq/im2_text_72x56.decoded.png")),
  anyOptions,
);

/** Two frames of 3 × 4 codes. */
const clipCodes = Uint16Array.from({ length: 24 }, (_, i) => 20 * i);
const clip = {
  codes: [0, 1].map((t) =>
    rows([...clipCodes.subarray(12 * t, 12 * (t + 1))], 4)
  ),
};

function rows(codes: readonly number[], width: number): number[][] {
  return Array.from(
    { length: codes.length / width },
    (_, y) => codes.slice(y * width, (y + 1) * width),
  );
}

function post(init: RequestInit): Promise<Response> {
  return Promise.resolve(server.app.request("/v1/detokenize", init));
}

function isClose(image: RgbImage, levels: number): boolean {
  return image.pixels.length === expected.pixels.length &&
    image.pixels.every((level, i) =>
      Math.abs(level - expected.pixels[i]!) <= levels
    );
}

Deno.test("POST /v1/detokenize decodes as the reference does", async () => {
  const answer = await post(json({ grid }));
  strictEqual(answer.headers.get("content-type"), "image/png");
  ok(isClose(await decodeImage(await answer.bytes(), anyOptions), 1));
});

Deno.test("POST /v1/detokenize decodes bare codes to the same picture", async () => {
  const png = await (await post(json({ grid }))).bytes();
  const sizes = { "x-grid-height": "7", "x-grid-width": "9" };
  const plain = bytes(
    new Uint8Array(codes.slice().buffer),
    "application/octet-stream",
    sizes,
  );
  const npy = bytes(writeNpy([7, 9], codes), "application/x-npy");
  for (const init of [plain, npy]) {
    deepStrictEqual(await (await post(init)).bytes(), png);
  }
});

Deno.test("POST /v1/detokenize answers with JPEG or JSON on request", async () => {
  const jpeg = await post(json({ grid }, { accept: "image/jpeg" }));
  strictEqual(jpeg.headers.get("content-type"), "image/jpeg");
  strictEqual((await decodeImage(await jpeg.bytes(), anyOptions)).width, 72);
  const body = await (await post(
    json({ grid }, { accept: "application/json" }),
  )).json();
  deepStrictEqual([body.height, body.width, body.mime_type], [
    56,
    72,
    "image/png",
  ]);
  const image = await decodeImage(
    Uint8Array.fromBase64(body.b64_json),
    anyOptions,
  );
  ok(isClose(image, 1));
});

Deno.test("POST /v1/detokenize inverts the codes of tokenize", async () => {
  const answer = await server.app.request(
    "/v1/tokenize",
    bytes(await Deno.readFile(goldenPath("chat/c0.png")), "image/png"),
  );
  const { grid } = await answer.json();
  strictEqual((await post(json({ grid }))).status, 200);
});

Deno.test("POST /v1/detokenize encodes a clip in every format", async () => {
  const size = [24, 32];
  for (const accept of ["image/apng", "image/gif"]) {
    const answer = await post(json({ clip }, { accept }));
    strictEqual(answer.headers.get("content-type"), accept);
    const frames = await decodeFrames(await answer.bytes(), anyOptions);
    strictEqual(frames.length, 8);
    deepStrictEqual([frames[0]!.height, frames[0]!.width], size);
  }
  const zip = await post(json({ clip }, { accept: "application/zip" }));
  strictEqual(Object.keys(unzipSync(await zip.bytes())).length, 8);
  const body = await (await post(
    json({ clip }, { accept: "application/json" }),
  )).json();
  strictEqual(body.frames.length, 8);
  deepStrictEqual([body.height, body.width], size);
});

Deno.test("POST /v1/detokenize writes the rate of a clip, and refuses that of a grid", async () => {
  for (const [query, fps, ms] of [["", 5, 200], ["?fps=20", undefined, 50]]) {
    const init = json({ clip, ...fps !== undefined && { fps } });
    const answer = await server.app.request(`/v1/detokenize${query}`, init);
    const frames = framesOfApng(await answer.bytes());
    deepStrictEqual(frames.map((frame) => frame.ms), Array(8).fill(ms));
  }
  for (const fps of [0, -1, 101, "5"]) {
    strictEqual((await post(json({ clip, fps }))).status, 422);
  }
  const still = await post(json({ grid, fps: 5 }));
  strictEqual(still.status, 422);
  match((await still.json()).detail, /fps: omit it/);
});

Deno.test("POST /v1/detokenize encodes a clip of bare codes", async () => {
  const answer = await post(
    bytes(writeNpy([2, 3, 4], clipCodes), "application/x-npy"),
  );
  strictEqual(answer.headers.get("content-type"), "image/apng");
  deepStrictEqual(
    await answer.bytes(),
    await (await post(json({ clip }))).bytes(),
  );
});

Deno.test("POST /v1/detokenize refuses video/mp4 without an encoder, and lists its types", async () => {
  const answer = await post(json({ clip }, { accept: "video/mp4" }));
  strictEqual(answer.status, 406);
  match((await answer.json()).detail, /image\/apng, image\/gif/);
});

Deno.test("POST /v1/detokenize separates mixed tokens", async () => {
  const prompt = await (await server.app.request(
    "/v1/tokenize",
    json({
      question: "What?",
      grid: { codes: [[1, 2], [3, 4]] },
    }),
  )).json();
  const { eos } = TINY_VOCABULARY;
  const body = await (await post(json({ tokens: [...prompt.tokens, eos] })))
    .json();
  deepStrictEqual(body.parts, [
    { type: "text", text: "You are a helpful assistant. USER: " },
    {
      type: "image",
      grid: { height: 2, width: 2, codes: [[1, 2], [3, 4]] },
    },
    { type: "text", text: "What?. ASSISTANT:" },
  ]);
  strictEqual(
    body.text,
    "You are a helpful assistant. USER: What?. ASSISTANT:",
  );
});

Deno.test("POST /v1/detokenize answers no text for no tokens", async () => {
  const body = await (await post(json({ tokens: [] }))).json();
  deepStrictEqual([body.parts, body.text], [[], ""]);
});

Deno.test("POST /v1/detokenize answers with MP4 if there is an encoder", async () => {
  using folder = temporaryFolder();
  // Lists its encoder, or counts its input.
  const program = folder.write(
    "ffmpeg",
    '#!/bin/sh\ncase "$*" in *-encoders) echo " V....D libx264 "; exit;; esac\nwc -c\n',
  );
  await Deno.chmod(program, 0o755);
  await using other = await openTinyServer({
    functions: new Set(["detokenize"]),
    ffmpeg: program,
  });
  const init = json({ clip }, { accept: "video/mp4" });
  const answer = await other.app.request("/v1/detokenize", init);
  strictEqual(answer.headers.get("content-type"), "video/mp4");
  // Eight frames of 24 × 32 pixels.
  strictEqual(Number(await answer.text()), 8 * 24 * 32 * 3);
});

Deno.test("POST /v1/detokenize lists no MP4 without an encoder", async () => {
  const answer = await post(json({ clip }, { accept: "video/mp4" }));
  strictEqual(answer.status, 406);
  strictEqual(
    (await answer.json()).detail,
    "Cannot satisfy the Accept header: available media types are image/apng, image/gif, application/zip, application/json",
  );
});
