import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  type ClipFramesOptions,
  openClipFrames,
} from "../../../../functions/inference/video/clip_frames.ts";
import type { Tools } from "../../../../functions/models/ports.ts";
import { Budget } from "../../../../lib/async/budget.ts";
import { encodePng } from "../../../../lib/image/encode_png.ts";
import { animatedPng } from "../../../support/animations.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import { inPlaceCodec } from "../../../../lib/image/picture_codec.ts";
import { findVideoReader } from "../../../../lib/image/video/reader.ts";
import {
  DESCRIPTION,
  fakeFfmpeg,
  MP4,
  printFrames,
} from "../../../support/fake_ffmpeg.ts";

const program = await fakeFfmpeg();
globalThis.addEventListener("unload", () => program[Symbol.dispose]());

const tools: Tools = {
  codec: inPlaceCodec,
  pixels: new Budget({ total: 2 ** 40, maxWaiting: 8, now: () => 0 }),
  limits: { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 20, maxFrames: 8 },
  readVideo: await findVideoReader(program.path),
};

const SIZE = { height: 32, width: 48 };

const options: ClipFramesOptions = {
  decode: "display",
  animation: true,
  call: { signal: new AbortController().signal, caller: "" },
};

/** Frames as a video of the script has them. */
const pictures = [1, 2, 3, 4].map((level): RgbImage => ({
  ...SIZE,
  pixels: new Uint8ClampedArray(3 * SIZE.height * SIZE.width).fill(level),
}));
const stills = pictures.map((picture) => encodePng(picture, {}));
const apng = animatedPng(pictures, { framesPerSecond: 4 });

/** The same frames in each form. */
const FORMS: readonly [
  name: string,
  files: readonly Uint8Array[],
  animation: boolean,
][] = [
  ["a video", [MP4], true],
  ["an animation", [apng], true],
  ["several pictures", stills, false],
];

/** Returns the levels of the frames of `files` at `size`. */
async function levels(
  files: readonly Uint8Array[],
  changes: Partial<ClipFramesOptions> = {},
  size = SIZE,
): Promise<number[]> {
  await using clip = await openClipFrames(tools, files, {
    ...options,
    ...changes,
  });
  deepStrictEqual(clip.source, SIZE);
  ok(clip.cost(size) > 0);
  const found: number[] = [];
  for await (const frame of clip.frames(size)) {
    deepStrictEqual([frame.height, frame.width], [size.height, size.width]);
    found.push(frame.pixels[0]!);
  }
  if (clip.count !== undefined) strictEqual(found.length, clip.count);
  return found;
}

for (const [name, files, animation] of FORMS) {
  Deno.test(`the frames of ${name} come in order, at any size`, async () => {
    program.change({});
    for (
      const size of [SIZE, { height: 8, width: 8 }, { height: 64, width: 64 }]
    ) {
      deepStrictEqual(await levels(files, { animation }, size), [1, 2, 3, 4]);
    }
  });

  Deno.test(`the last frames of ${name} are the end of all`, async () => {
    program.change({});
    for (const last of [1, 3, 4, 9]) {
      deepStrictEqual(
        await levels(files, { animation, last }),
        [1, 2, 3, 4].slice(-last),
      );
    }
  });
}

Deno.test("the last frames of a long video are sought", async () => {
  program.change({
    description: DESCRIPTION.replace("00:00:02.00", "00:10:00.00"),
  });
  // 2400 frames exceed the limit, 3 do not.
  await rejects(levels([MP4]), /about 2400 frames/);
  deepStrictEqual(await levels([MP4], { last: 3 }), [2, 3, 4]);
  match(program.calls().at(-1)!, / -ss 597.250000 .* -frames:v 13 /);
  await rejects(levels([MP4], { last: 9 }), /about 2400 frames/);
});

Deno.test("a video among pictures is refused at the field that has it", async () => {
  const mixed = { animation: false, pointer: "/context" };
  await rejects(
    levels([stills[0]!, MP4], mixed),
    /\/context: expected pictures; send a video alone/,
  );
});

Deno.test("too many pictures are refused at their field", async () => {
  const many = Array(9).fill(stills[0]);
  const changes = { animation: false, pointer: "/context" };
  await rejects(levels(many, changes), /\/context: 9 frames are more than/);
  deepStrictEqual(await levels(many, { ...changes, last: 2 }), [1, 1]);
});

Deno.test("a part that does not suit the video leaves no file", async () => {
  program.change({ decode: printFrames(1) });
  await rejects(levels([MP4], { part: { start: 5 } }), /the video ends at 2 s/);
  const [file] = /-i file:(\S+)/.exec(program.calls()[0]!)!.slice(1);
  await rejects(Deno.stat(file!), Deno.errors.NotFound);
});

Deno.test("a canceled call ends the frames of pictures", async () => {
  const leave = new AbortController();
  const call = { signal: leave.signal, caller: "" };
  await using clip = await openClipFrames(tools, stills, {
    ...options,
    animation: false,
    call,
  });
  const reason = new Error("left");
  const taking = (async () => {
    for await (const _ of clip.frames(SIZE)) leave.abort(reason);
  })();
  strictEqual(await taking.catch((error) => error), reason);
});
