// deno-lint-ignore-file camelcase -- fields keep the names of the file
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseGenerationConfig } from "../../../models/config/generation_config.ts";

function clipsOf(json: Readonly<Record<string, unknown>>) {
  return parseGenerationConfig(json).clips;
}

Deno.test("A checkpoint whose file names no form of clips draws none, whatever else it sets", () => {
  const others = { "video_frames": 16, "video_fps": 24, "video_mode": "whole" };
  for (const json of [{}, { "video_format": null }, others]) {
    strictEqual(clipsOf(json), undefined);
  }
});

Deno.test("A form of clips alone takes the defaults, missing or null", () => {
  const expected = {
    interleaved: false,
    meta: "{frames}*{height}*{width}",
    frames: 8,
    maxFrames: Infinity,
    fps: 8,
  };
  const absent = {
    "video_mode": null,
    "video_meta": null,
    "video_frames": null,
    "video_max_frames": null,
    "video_fps": null,
  };
  for (const format of ["paper", "frames"]) {
    for (const more of [{}, absent]) {
      deepStrictEqual(clipsOf({ "video_format": format, ...more }), {
        format,
        ...expected,
      });
    }
  }
});

Deno.test("A file sets every field of clips", () => {
  deepStrictEqual(
    clipsOf({
      "video_format": "frames",
      "video_mode": "interleaved",
      "video_meta": "{seconds} s",
      "video_frames": 12,
      "video_max_frames": 12,
      "video_fps": 7.5,
    }),
    {
      format: "frames",
      interleaved: true,
      meta: "{seconds} s",
      frames: 12,
      maxFrames: 12,
      fps: 7.5,
    },
  );
});

Deno.test("The default of frames is not above a maximum that the file sets", () => {
  const json = { "video_format": "frames", "video_max_frames": 5 };
  strictEqual(clipsOf(json)?.frames, 5);
});

const invalid: Readonly<Record<string, readonly unknown[]>> = {
  video_format: ["mp4", "", 1, ["paper"]],
  video_mode: ["whole frames", true],
  video_meta: [3, "x".repeat(257)],
  video_frames: [0, -4, 1.5, "8", Infinity],
  video_max_frames: [0, 2.5, "all"],
  video_fps: [0, -1, "8", Infinity, NaN],
};

for (const [field, values] of Object.entries(invalid)) {
  Deno.test(`A file is refused by the name of ${field} if it is invalid, even without a form of clips`, () => {
    for (const value of values) {
      for (const form of [{}, { "video_format": "paper" }]) {
        throws(() => clipsOf({ ...form, [field]: value }), (error) => {
          return error instanceof SyntaxError &&
            error.message.startsWith(`field "${field}": `);
        });
      }
    }
  });
}

Deno.test("Interleaved clips in the form of the paper are refused", () => {
  throws(
    () => clipsOf({ "video_format": "paper", "video_mode": "interleaved" }),
    new SyntaxError("video_mode is interleaved, which only frames knows"),
  );
});

Deno.test("More frames than the maximum are refused", () => {
  throws(
    () =>
      clipsOf({
        "video_format": "frames",
        "video_frames": 9,
        "video_max_frames": 8,
      }),
    new SyntaxError("video_frames is 9, above video_max_frames, 8"),
  );
});
