/**
 * The laws of the frame limit: one for every container, counted before decoding.
 *
 * @module
 */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { readEnvironment } from "../../../functions/env.ts";
import { createApp } from "../../../functions/app.ts";
import { readChunks, writeChunks } from "../../../lib/image/format/png.ts";
import { writeWebpChunks } from "../../../lib/image/format/webp.ts";
import { inPlaceCodec } from "../../../lib/image/picture_codec.ts";
import { plainGif } from "../../support/bombs.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { sourcePicture } from "../../support/odd_pictures.ts";
import { paint } from "../../support/pictures.ts";
import { appOptions, json, openTinyServer } from "../../support/tiny_server.ts";
import type { PngChunk } from "../../../lib/image/format/png_metadata.ts";

const functions = new Set(["tokenize", "detokenize"] as const);
const image = paint(8, 8, (y, x) => [8 * x, 12 * y, 7]);

/** Returns an APNG that declares `frames` frames, with their controls. */
function apng(frames: number): Uint8Array<ArrayBuffer> {
  const [header, ...rest] = readChunks(sourcePicture("geo_tiny8_8x8.png"));
  const count = new Uint8Array(8);
  new DataView(count.buffer).setUint32(0, frames);
  const control = new Uint8Array(26);
  new DataView(control.buffer).setUint32(4, 8);
  new DataView(control.buffer).setUint32(8, 8);
  const end = rest.pop()!;
  const chunks: PngChunk[] = [header!, { type: "acTL", data: count }];
  chunks.push({ type: "fcTL", data: control });
  for (const chunk of rest) chunks.push(chunk);
  for (let i = 1; i < frames; i++) {
    chunks.push({ type: "fcTL", data: control });
    chunks.push({ type: "fdAT", data: new Uint8Array(4) });
  }
  chunks.push(end);
  return new Uint8Array(writeChunks(chunks));
}

/** Returns an animated WebP of frames without pictures. */
function webp(frames: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(10);
  header.set([2, 0, 0, 0, 7, 0, 0, 7]);
  return new Uint8Array(writeWebpChunks([
    { name: "VP8X", data: header },
    { name: "ANIM", data: new Uint8Array(6) },
    ...Array.from({ length: frames }, () => ({
      name: "ANMF",
      data: new Uint8Array(16),
    })),
  ]));
}

const containers: readonly (readonly [
  type: string,
  make: (frames: number) => Uint8Array<ArrayBuffer>,
])[] = [
  ["image/gif", (frames) => plainGif({ height: 8, width: 8 }, frames)],
  ["image/png", apng],
  ["image/webp", webp],
];

Deno.test("MAX_FRAMES limits animations of any type, like lists", async () => {
  const limits = { maxBodyBytes: 2 ** 23, maxPixels: 2 ** 26, maxFrames: 5 };
  let decoded = 0;
  const codec = {
    ...inPlaceCodec,
    decodeFrames: () => {
      decoded++;
      return Promise.reject(new Error("decoded"));
    },
  };
  const app = createApp(
    fakeServices(runAtOnce, { codec, limits }),
    { ...appOptions().options, functions },
  );
  for (const [type, make] of containers) {
    for (const frames of [6, 1000, 20_000, 80_000]) {
      const answer = await app.request("/v1/tokenize", {
        method: "POST",
        body: make(frames),
        headers: { "content-type": type },
      });
      const { detail } = await answer.json();
      strictEqual(answer.status, 413, `${type} of ${frames}`);
      match(detail, /frames.*; send fewer/);
      if (frames === 6) {
        match(detail, /6 frames exceeds the limit of 5/);
      }
    }
  }
  const bytes = new Uint8Array(await inPlaceCodec.encodePng(image, {}));
  for (const frames of [6, 1000]) {
    const listed = Array(frames).fill(bytes.toBase64());
    const answer = await app.request(
      "/v1/tokenize",
      json({ frames: listed, pad: "repeat" }),
    );
    strictEqual(answer.status, 422);
    const { errors } = await answer.json();
    deepStrictEqual(errors, [{
      pointer: "/frames",
      detail:
        `${frames} frames are more than the limit of 5 (MAX_FRAMES); send fewer`,
    }]);
  }
  const form = new FormData();
  for (let i = 0; i < 6; i++) form.append("frames", new Blob([bytes]));
  const uploaded = await app.request("/v1/tokenize", {
    method: "POST",
    body: form,
  });
  strictEqual(uploaded.status, 422);
  strictEqual(decoded, 0);
});

Deno.test("MAX_FRAMES limits decoded clips", async () => {
  const limits = { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 26, maxFrames: 8 };
  await using server = await openTinyServer({ functions, limits });
  const clip = (frames: number) =>
    server.app.request(
      "/v1/detokenize",
      json({ clip: { codes: Array(frames).fill([[1, 2], [3, 4]]) } }),
    );
  strictEqual((await clip(2)).status, 200);
  const answer = await clip(3);
  strictEqual(answer.status, 422);
  match((await answer.json()).errors[0].detail, /12 frames .* 8 .*MAX_FRAMES/);
});

Deno.test("/v1/models reports MAX_FRAMES, by default 256", async () => {
  const limits = { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 20, maxFrames: 77 };
  await using server = await openTinyServer({ functions, limits });
  const { data } = await (await server.app.request("/v1/models")).json();
  deepStrictEqual(data[0].limits, {
    "max_body_bytes": 2 ** 20,
    "max_pixels": 2 ** 20,
    "max_frames": 77,
  });
  const machine = { cpus: 2, memoryBytes: 2 ** 33 };
  const read = (text: string | undefined) =>
    readEnvironment(machine, (name) => name === "MAX_FRAMES" ? text : undefined)
      .limits.maxFrames;
  deepStrictEqual([read(undefined), read("8")], [256, 8]);
});

Deno.test("encodeClip() stops between frames when its client leaves", async () => {
  const services = fakeServices(runAtOnce);
  const leave = new AbortController();
  let decoded = 0;
  const codec = {
    ...services.codec,
    decodeImage: async (
      ...args: Parameters<typeof inPlaceCodec.decodeImage>
    ) => {
      if (++decoded === 3) leave.abort();
      return await inPlaceCodec.decodeImage(...args);
    },
  };
  const app = createApp({ ...services, codec }, {
    ...appOptions().options,
    functions,
  });
  const bytes = await inPlaceCodec.encodePng(image, {});
  const answer = await app.request("/v1/tokenize", {
    ...json({ frames: Array(20).fill(bytes.toBase64()), pad: "repeat" }),
    signal: leave.signal,
  });
  strictEqual((await answer.json()).error.code, "client-gone");
  strictEqual(decoded, 3);
});
