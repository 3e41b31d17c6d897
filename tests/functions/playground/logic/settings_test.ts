/** Laws of settings in addresses and in metadata of pictures. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  codesFromText,
  codesToText,
} from "../../../../functions/playground/logic/codes_text.js";
import { readPng } from "../../../../functions/playground/logic/png_text.js";
import { settingsFromTexts } from "../../../../functions/playground/logic/file_settings.js";
import {
  linkFromParams,
  paramsFromLink,
} from "../../../../functions/playground/logic/link.js";
import {
  formatRoute,
  parseRoute,
} from "../../../../functions/playground/shell/route.js";
import { pictureTexts } from "../../../../functions/inference/image_metadata.ts";
import type { CodeGrid } from "../../../../lib/grid.ts";
import { encodePng } from "../../../../lib/image/encode_png.ts";

const settings = fc.record({
  prompt: fc.string({ unit: "grapheme" }),
  "negative_prompt": fc.string({ unit: "grapheme" }),
  ratio: fc.constantFrom("1:1", "16:9"),
  height: fc.nat(8192),
  width: fc.nat(8192),
  "guidance_scale": fc.double({ min: 1, max: 100, noNaN: true }),
  temperature: fc.double({ min: 0, max: 9, noNaN: true })
    .map((value) => value + 0),
  "top_k": fc.nat(),
  "top_p": fc.double({ min: 0.1, max: 1, noNaN: true }),
  seed: fc.maxSafeNat(),
  strategy: fc.constantFrom("jacobi", "zipar"),
  adapter: fc.constantFrom("mine", "yours"),
  n: fc.integer({ min: 1, max: 8 }),
}, { requiredKeys: ["prompt"], noNullPrototype: true });

const grids = fc.tuple(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
  fc.infiniteStream(fc.nat(65_535)),
).map(([height, width, stream]) => ({
  height,
  width,
  codes: Uint16Array.from([...stream.take(height * width)]),
}));

Deno.test("linkFromParams() inverts paramsFromLink(), through an address", () => {
  fc.assert(
    fc.property(
      settings,
      fc.option(grids, { nil: undefined }),
      (asked, grid) => {
        const hash = formatRoute("draw", paramsFromLink(asked, grid));
        const { view, params } = parseRoute(hash, "look");
        strictEqual(view, "draw");
        deepStrictEqual(linkFromParams(params), { settings: asked, grid });
      },
    ),
  );
});

Deno.test("linkFromParams() requires a prompt and drops invalid values", () => {
  strictEqual(linkFromParams(new URLSearchParams("seed=4")), undefined);
  deepStrictEqual(
    linkFromParams(new URLSearchParams("prompt=a&seed=x&n=&codes=!")),
    { settings: { prompt: "a" }, grid: undefined },
  );
  deepStrictEqual(parseRoute("", "draw").view, "draw");
  deepStrictEqual(parseRoute("#look", "draw").view, "look");
});

Deno.test("codesFromText() rejects text that codesToText() did not write", () => {
  fc.assert(fc.property(grids, (grid) => {
    const text = codesToText(grid);
    deepStrictEqual(codesFromText(text), grid);
    strictEqual(codesFromText(text.slice(0, -1)), undefined);
    strictEqual(codesFromText(`9${text}`), undefined);
  }));
  for (const text of ["", "1x1", "0x0.", "1x1.!!!!", "1x1.A"]) {
    strictEqual(codesFromText(text), undefined);
  }
});

const pixels = { height: 8, width: 16, pixels: new Uint8ClampedArray(384) };

/** Writes a file like the server. */
function fileOf(prompt: string, imageIndex: number, prefix?: CodeGrid) {
  const text = pictureTexts({
    model: "emu3-mini",
    imageIndex,
    params: {
      prompt,
      negativePrompt: "",
      guidanceScale: 2,
      size: { height: 1, width: 2 },
      prefix,
      strategy: { name: "autoregressive" },
      sampling: { temperature: 1, topK: 256, topP: 1 },
      seed: 2 ** 40,
      count: 3,
      logprobs: 0,
    },
  });
  return encodePng(pixels, { text });
}

Deno.test("settingsFromTexts() reads the settings that reproduce a picture", async () => {
  for (const prompt of ["a cat", "eine Katze, 猫 🐈", "a\nb"]) {
    const png = await readPng(new Uint8Array(fileOf(prompt, 2)));
    ok(png);
    deepStrictEqual(settingsFromTexts(png.texts, png), {
      imageIndex: 2,
      model: "emu3-mini",
      givenRows: 0,
      settings: {
        prompt,
        height: 8,
        width: 16,
        "negative_prompt": "",
        "guidance_scale": 2,
        temperature: 1,
        "top_k": 256,
        "top_p": 1,
        seed: 2 ** 40,
        strategy: "autoregressive",
        n: 3,
      },
    });
  }
});

Deno.test("settingsFromTexts() reads frames, rate and given frames of a clip", () => {
  const parameters = {
    seed: 1,
    frames: 6,
    fps: 12,
    clip: { frames: 2, height: 3, width: 4, codes: [] },
  };
  const texts = {
    Description: "a cat",
    parameters: JSON.stringify(parameters),
  };
  const found = settingsFromTexts(texts, { height: 24, width: 32 });
  strictEqual(found?.givenRows, 6);
  deepStrictEqual(found.settings, {
    prompt: "a cat",
    height: 24,
    width: 32,
    seed: 1,
    frames: 6,
    fps: 12,
  });
});

Deno.test("settingsFromTexts() reads the count of given rows", async () => {
  const given = { height: 1, width: 2, codes: new Uint16Array([5, 6]) };
  const png = await readPng(new Uint8Array(fileOf("a cat", 0, given)));
  strictEqual(settingsFromTexts(png!.texts, png!)?.givenRows, 1);
  for (const prefix of [null, "", 3, {}, { height: "1" }]) {
    const texts = {
      Description: "",
      parameters: JSON.stringify({ seed: 1, prefix }),
    };
    strictEqual(settingsFromTexts(texts, pixels)?.givenRows, 0);
  }
});

Deno.test("readPng() tolerates any bytes, truncated and corrupt ones included", async () => {
  const whole = new Uint8Array(fileOf("a cat", 0));
  for (let end = 0; end < whole.length; end += 7) {
    const png = await readPng(whole.slice(0, end));
    ok(png === undefined || png.width === 16);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, to) => {
      const spoilt = whole.slice();
      spoilt[at] = to;
      const png = await readPng(spoilt);
      if (png !== undefined) settingsFromTexts(png.texts, png);
    }),
  );
  strictEqual(await readPng(new Uint8Array(50)), undefined);
});

Deno.test("readPng() inflates compressed texts", async () => {
  const packed = new Uint8Array(
    await new Response(
      new Blob(["a cat"]).stream().pipeThrough(
        new CompressionStream("deflate"),
      ),
    ).arrayBuffer(),
  );
  const text = [..."Description"].map((letter) => letter.charCodeAt(0));
  const chunk = [...text, 0, 1, 0, 0, 0, ...packed];
  const whole = new Uint8Array(encodePng(pixels, {}));
  const header = whole.slice(0, 33);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, chunk.length);
  const bytes = new Uint8Array([
    ...header,
    ...length,
    ...[..."iTXt"].map((letter) => letter.charCodeAt(0)),
    ...chunk,
    ...[0, 0, 0, 0],
  ]);
  deepStrictEqual((await readPng(bytes))?.texts, { Description: "a cat" });
});

Deno.test("settingsFromTexts() ignores the texts of other programs", () => {
  const size = { height: 8, width: 8 };
  for (
    const parameters of ["", "null", "4", "{}", "Steps: 20", '{"seed":"1"}']
  ) {
    const texts = { Description: "a", parameters };
    strictEqual(settingsFromTexts(texts, size), undefined);
  }
});
