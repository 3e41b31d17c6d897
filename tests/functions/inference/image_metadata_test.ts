import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { strategyOf } from "../../../lib/drawing/strategy.ts";
import {
  DIGITAL_SOURCE_TYPE,
  pictureTexts,
  xmpPacket,
} from "../../../functions/inference/image_metadata.ts";

function origin(prompt: string) {
  return {
    model: "emu3-tiny",
    imageIndex: 2,
    params: {
      prompt,
      negativePrompt: "blurry",
      guidanceScale: 3,
      size: { height: 4, width: 5 },
      prefix: undefined,
      strategy: strategyOf("autoregressive"),
      sampling: { temperature: 1, topK: 2048, topP: 1 },
      seed: 2 ** 53 - 1,
      count: 3,
      logprobs: 0,
    },
  };
}

/** Returns the attributes of the description, with entities decoded. */
function attributes(packet: string): Map<string, string> {
  const found = packet.matchAll(/([\w:]+)="([^"<]*)"/g);
  return new Map(Array.from(found, ([, name, value]) => [
    name!,
    value!.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
  ]));
}

Deno.test("xmpPacket() marks the picture as made by a trained model", () => {
  const found = attributes(xmpPacket(origin("a fox")));
  strictEqual(found.get("Iptc4xmpExt:DigitalSourceType"), DIGITAL_SOURCE_TYPE);
  strictEqual(found.get("Iptc4xmpExt:AISystemUsed"), "emu3-tiny");
});

Deno.test("xmpPacket() preserves any prompt that XML can hold", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (prompt) => {
    const found = attributes(xmpPacket(origin(prompt)));
    strictEqual(found.get("Iptc4xmpExt:AIPromptInformation"), prompt);
  }));
});

Deno.test("xmpPacket() drops characters that XML cannot hold", () => {
  const packet = xmpPacket(origin("a\0b\x1bc\ud800"));
  ok(packet.includes("abc\ufffd"));
});

Deno.test("pictureTexts() reproduce the picture", () => {
  const texts = pictureTexts(origin("a fox"));
  strictEqual(texts["Description"], "a fox");
  const parameters = JSON.parse(texts["parameters"]!);
  strictEqual(parameters.seed, 2 ** 53 - 1);
  strictEqual(parameters.image_index, 2);
  strictEqual(parameters.guidance_scale, 3);
});

/** Returns the origin of a clip of 4 frames of 2 × 3 codes, one of them given. */
function clipOrigin(framesPerCode: number) {
  const { params, ...rest } = origin("a fox");
  return {
    ...rest,
    params: {
      ...params,
      size: { height: 8, width: 3 },
      prefix: { height: 2, width: 3, codes: new Uint16Array(6).fill(7) },
      clip: {
        form: { format: "frames", interleaved: false, meta: "" } as const,
        frames: 4,
        framesPerCode,
        fps: 12,
      },
    },
  };
}

Deno.test("pictureTexts() reproduce a clip: the grid of a frame, frames of pixels, their rate", () => {
  for (const perCode of [1, 4]) {
    const texts = pictureTexts(clipOrigin(perCode));
    const parameters = JSON.parse(texts["parameters"]!);
    deepStrictEqual(parameters.grid, { height: 2, width: 3 });
    strictEqual(parameters.frames, 4 * perCode);
    strictEqual(parameters.fps, 12);
    const row = [7, 7, 7];
    deepStrictEqual(parameters.clip, {
      frames: 1,
      height: 2,
      width: 3,
      ...(perCode === 1 && { "frames_per_code": 1 }),
      codes: [[row, row]],
    });
  }
});

Deno.test("xmpPacket() counts the given frames of a clip", () => {
  const found = attributes(xmpPacket(clipOrigin(1)));
  const comment = JSON.parse(found.get("exif:UserComment")!);
  strictEqual(comment.clip_frames, 1);
  strictEqual("clip" in comment, false);
});
