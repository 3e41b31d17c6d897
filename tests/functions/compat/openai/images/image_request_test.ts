import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import {
  ImageRequest,
  partialRows,
  wantedGeneration,
} from "../../../../../functions/compat/openai/images/image_request.ts";
import { InvalidFieldsError } from "../../../../../functions/http/errors/errors.ts";
import { openTinyServer } from "../../../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const tiny = server.services.imageGenerator(undefined);

/** Returns the generation of `fields`, for an area of `imageArea`. */
function wanted(fields: object, imageArea = 512 * 512) {
  const language = {
    ...tiny.language,
    config: { ...tiny.language.config, imageArea },
  };
  const request = v.parse(ImageRequest, { prompt: "a fox", ...fields });
  return wantedGeneration(request, { language, vision: tiny.vision });
}

/** Returns the pointer at which `fields` are refused, for a small area. */
function refused(fields: object): string | undefined {
  let pointer: string | undefined;
  throws(() => wanted(fields, 64 * 64), (error) => {
    ok(error instanceof InvalidFieldsError);
    pointer = error.fields[0]!.pointer;
    return true;
  });
  return pointer;
}

Deno.test("wantedGeneration() uses the ratio of a size and the checkpoint's area", () => {
  const side = fc.integer({ min: 100, max: 400 });
  fc.assert(fc.property(side, side, (width, height) => {
    const { request } = wanted({ size: `${width}x${height}` });
    strictEqual(request.width! % 8, 0);
    strictEqual(request.height! % 8, 0);
    // Half a code of eight pixels a side.
    const scale = Math.sqrt(512 * 512 / (width * height));
    ok(Math.abs(request.width! - width * scale) <= 4);
    ok(Math.abs(request.height! - height * scale) <= 4);
  }));
});

Deno.test("wantedGeneration() draws a square by default", () => {
  for (const size of ["auto", null, undefined]) {
    const { request } = wanted({ size });
    deepStrictEqual([request.height, request.width], [512, 512]);
  }
});

Deno.test("wantedGeneration() refuses a ratio that no grid has, naming the field", () => {
  strictEqual(refused({ size: "1x9999" }), "/size");
});

Deno.test("wantedGeneration() refuses partial pictures of several images", () => {
  const several = { n: 2, "partial_images": 1 };
  strictEqual(refused({ ...several, stream: true }), "/partial_images");
  // Without a stream there are no partial pictures.
  strictEqual(rowsOf(wanted({ ...several, stream: false })).size, 0);
});

Deno.test("wantedGeneration() refuses URLs in events", () => {
  const urls = { "response_format": "url" };
  strictEqual(refused({ ...urls, stream: true }), "/response_format");
  ok(wanted({ ...urls, stream: false }));
});

Deno.test("wantedGeneration() passes on fields of generate, and ignores null", () => {
  const fields = {
    "negative_prompt": "blurry",
    "guidance_scale": 2,
    temperature: 0.5,
    "top_k": 7,
    "top_p": 0.9,
    seed: 3,
    strategy: "zipar",
    metadata: false,
    model: "emu3-tiny",
    n: 4,
  };
  const { request } = wanted(fields);
  deepStrictEqual({ ...request, ...fields }, request);
  const nothing = Object.fromEntries(
    Object.keys(ImageRequest.entries)
      .filter((name) => name !== "prompt").map((name) => [name, null]),
  );
  deepStrictEqual(wanted(nothing), wanted({}));
});

Deno.test("wantedGeneration() makes the requested file", () => {
  const file = (fields: object) => {
    const { file, quality } = wanted(fields).wanted;
    return [file, quality];
  };
  const jpeg = { "output_format": "jpeg" };
  deepStrictEqual(file({}), ["image/png", undefined]);
  deepStrictEqual(file(jpeg), ["image/jpeg", undefined]);
  deepStrictEqual(file({ ...jpeg, "output_compression": 40 }), [
    "image/jpeg",
    40,
  ]);
  const webp = { "output_format": "webp" };
  deepStrictEqual(file(webp), ["image/webp", undefined]);
  deepStrictEqual(file({ ...webp, "output_compression": 40 }), [
    "image/webp",
    40,
  ]);
  // JPEG has no quality 0.
  deepStrictEqual(file({ ...jpeg, "output_compression": 0 }), [
    "image/jpeg",
    1,
  ]);
});

Deno.test("ImageRequest refuses unsupported values", () => {
  for (
    const fields of [
      { "output_format": "gif" },
      { "response_format": "file" },
      { size: "large" },
      { size: "64X64" },
      { n: 0 },
      { n: 9 },
      { "partial_images": 4 },
      { "output_compression": 101 },
      { prompt: undefined },
    ]
  ) {
    const whole = { prompt: "a fox", ...fields };
    strictEqual(v.safeParse(ImageRequest, whole).success, false);
  }
});

Deno.test("partialRows() returns as many rows as requested, evenly, and never the last", () => {
  const height = fc.integer({ min: 1, max: 200 });
  fc.assert(fc.property(height, fc.nat(3), (height, count) => {
    const rows = [...partialRows(height, count)];
    ok(rows.every((row) => row >= 0 && row < height - 1));
    strictEqual(rows.length, height > count ? count : rows.length);
    const steps = [-1, ...rows, height - 1]
      .map((row, i, all) => row - (all[i - 1] ?? row)).slice(1);
    if (height > count) ok(Math.max(...steps) - Math.min(...steps) <= 1);
  }));
});

function rowsOf({ wanted }: ReturnType<typeof wantedGeneration>) {
  ok(typeof wanted.preview !== "boolean");
  return wanted.preview;
}
