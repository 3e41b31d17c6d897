/**
 * Video files of the system's ffmpeg, read by it: rates, ranges, rotation, bad
 * files. Ignored where it is not installed.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { ImageError } from "../../lib/errors.ts";
import { findFfmpeg } from "../../lib/image/ffmpeg.ts";
import { withMp4Xmp } from "../../lib/image/metadata/mp4_xmp.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import {
  findVideoReader,
  type FrameRange,
  type Video,
} from "../../lib/image/video/reader.ts";
import { yielded } from "../support/animations.ts";
import { bytes, openTinyServer } from "../support/tiny_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const signal = new AbortController().signal;
const encode = await findFfmpeg("ffmpeg");
const read = await findVideoReader("ffmpeg");
const ignore = encode === undefined || read === undefined;
const options = { upright: true, maxPixels: 2 ** 20, signal };

const SIZE = { height: 48, width: 80 };

/** Returns a frame whose upper half is lighter than its lower half. */
function frameOf(level: number): RgbImage {
  const pixels = new Uint8ClampedArray(3 * SIZE.height * SIZE.width).fill(
    level,
  );
  pixels.subarray(0, pixels.length / 2).fill(level + 60);
  return { ...SIZE, pixels };
}

/** The distance between the levels of two frames, far above H.264's error. */
const STEP = 7;

/** Returns the level of frame `i`. */
function level(i: number): number {
  return 20 + STEP * i;
}

/** Returns a fragmented MP4 of `count` frames at 8 frames per second. */
async function mp4(count = 24): Promise<Uint8Array<ArrayBuffer>> {
  const frames = Array.from({ length: count }, (_, i) => frameOf(level(i)));
  return await encode!(yielded(frames), {
    ...SIZE,
    frames: count,
    framesPerSecond: 8,
    signal,
  });
}

/** Runs ffmpeg on `input`, and returns the file that it writes. */
async function ffmpeg(
  args: readonly string[],
  extension: string,
  input?: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  using folder = temporaryFolder();
  const from = input === undefined ? [] : ["-i", folder.write("in", input)];
  const to = `${folder.path}/out.${extension}`;
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-nostdin", ...from, ...args, to],
    stdout: "null",
    stderr: "piped",
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return await Deno.readFile(to);
}

/** Returns the levels of the lower halves of a video's frames. */
async function levels(
  video: Video,
  changes: Partial<FrameRange> = {},
): Promise<number[]> {
  const range = {
    start: 0,
    end: undefined,
    framesPerSecond: 8,
    maxFrames: 100,
    ...changes,
  };
  return (await Array.fromAsync(video.frames(range))).map(lower);
}

function lower({ pixels }: RgbImage): number {
  return pixels.at(-1)!;
}

/** Asserts that levels are those of the frames of these numbers. */
function checkLevels(found: readonly number[], frames: readonly number[]) {
  const nearest = found.map((value) => Math.round((value - level(0)) / STEP));
  deepStrictEqual(nearest, frames);
}

const ALL = Array.from({ length: 24 }, (_, i) => i);

for (
  const [name, extension, args] of [
    ["MP4 with its index at the end", "mp4", ["-c", "copy"]],
    ["MP4 with its index first", "mp4", [
      "-c",
      "copy",
      "-movflags",
      "faststart",
    ]],
    ["QuickTime", "mov", ["-c", "copy"]],
    ["Matroska", "mkv", ["-c", "copy"]],
    ["WebM of VP8", "webm", ["-c:v", "libvpx", "-b:v", "2M", "-threads", "1"]],
    ["WebM of VP9", "webm", [
      "-c:v",
      "libvpx-vp9",
      "-b:v",
      "2M",
      "-threads",
      "1",
    ]],
  ] as const
) {
  Deno.test({
    name: `${name}: all frames are read, in order`,
    ignore,
    fn: async () => {
      const file = await ffmpeg(args, extension, await mp4());
      await using video = await read!(file, options);
      const { durationSeconds, ...header } = video.header;
      deepStrictEqual(header, { ...SIZE, framesPerSecond: 8 });
      strictEqual(Math.round(durationSeconds!), 3);
      checkLevels(await levels(video), ALL);
    },
  });
}

Deno.test({
  name: "a range and a rate select frames",
  ignore,
  fn: async () => {
    const file = await ffmpeg(["-c", "copy"], "mp4", await mp4());
    await using video = await read!(file, options);
    checkLevels(await levels(video, { start: 1, end: 2 }), ALL.slice(8, 16));
    checkLevels(await levels(video, { framesPerSecond: 2 }), [
      0,
      4,
      8,
      12,
      16,
      20,
    ]);
    const twice = await levels(video, { framesPerSecond: 16, end: 0.5 });
    checkLevels(twice, [0, 0, 1, 1, 2, 2, 3, 3]);
    const at = await Array.fromAsync(video.framesAt([0, 1.01, 2.99]));
    checkLevels(at.map(lower), [0, 8, 23]);
  },
});

Deno.test({
  name: "frames of a varying rate are sampled at a constant one",
  ignore,
  fn: async () => {
    // Every frame lasts as long as its number.
    const args = ["-vf", "setpts=N*(N+1)/2/8/TB", "-fps_mode", "vfr"];
    const file = await ffmpeg(
      [...args, "-c:v", "libx264"],
      "mp4",
      await mp4(5),
    );
    await using video = await read!(file, options);
    const sampled = await levels(video, { framesPerSecond: 8, end: 10 / 8 });
    checkLevels(sampled, [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]);
  },
});

/** Turns a video by 90 degrees, by the matrix in the header of its track. */
function turned(file: Uint8Array): Uint8Array {
  const copy = file.slice();
  const text = new TextDecoder("latin1").decode(copy);
  // Behind the type: version, times, ids, duration, layer and volume.
  const matrix = new DataView(copy.buffer, text.indexOf("tkhd") + 44);
  const values = [0, 2 ** 16, 0, -(2 ** 16), 0, 0];
  values.forEach((value, i) => matrix.setInt32(4 * i, value));
  return copy;
}

Deno.test({
  name: "a turned video is read upright, or as it is stored",
  ignore,
  fn: async () => {
    const file = turned(await ffmpeg(["-c", "copy"], "mp4", await mp4(2)));
    await using upright = await read!(file, options);
    deepStrictEqual([upright.header.height, upright.header.width], [80, 48]);
    const [frame] = await Array.fromAsync(upright.framesAt([0]));
    // The light upper half is on the right.
    const row = 3 * 48 * 40;
    ok(frame!.pixels[row + 3 * 44]! > frame!.pixels[row + 3 * 4]! + 40);
    await using stored = await read!(file, { ...options, upright: false });
    deepStrictEqual([stored.header.height, stored.header.width], [48, 80]);
    strictEqual((await Array.fromAsync(stored.framesAt([0]))).length, 1);
  },
});

Deno.test({
  name: "a video of odd sides is read at its own size",
  ignore,
  fn: async () => {
    const args = ["-vf", "crop=47:31:0:0:exact=1", "-pix_fmt", "yuv444p"];
    const file = await ffmpeg(
      [...args, "-c:v", "libx264"],
      "mp4",
      await mp4(4),
    );
    await using video = await read!(file, options);
    deepStrictEqual([video.header.height, video.header.width], [31, 47]);
    strictEqual((await levels(video)).length, 4);
  },
});

Deno.test({
  name: "an MP4 with XMP has the same frames, for whatever reads it",
  ignore,
  fn: async () => {
    const plain = await mp4(5);
    const marked = withMp4Xmp(plain, "<x:xmpmeta/>");
    for (const extension of ["mp4", "mkv"]) {
      const copied = await ffmpeg(["-c", "copy"], extension, marked);
      await using video = await read!(copied, options);
      await using before = await read!(plain, options);
      deepStrictEqual(await levels(video), await levels(before));
    }
    await using video = await read!(marked, options);
    strictEqual((await levels(video)).length, 5);
  },
});

Deno.test({
  name: "a truncated video is refused, wherever it ends",
  ignore,
  fn: async () => {
    const whole = await mp4(16);
    const files = [
      await ffmpeg(["-c", "copy"], "mp4", whole),
      await ffmpeg(["-c", "copy", "-movflags", "faststart"], "mp4", whole),
      await ffmpeg(["-c", "copy"], "mkv", whole),
    ];
    for (const file of files) {
      for (const share of [0.02, 0.4, 0.7, 0.9]) {
        const cut = file.subarray(0, Math.floor(share * file.length));
        const reading = (async () => {
          await using video = await read!(cut, options);
          return await levels(video);
        })();
        await rejects(reading, ImageError);
      }
    }
  },
});

Deno.test({
  name: "a file of sound alone is refused",
  ignore,
  fn: async () => {
    const sine = ["-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac"];
    const file = await ffmpeg(sine, "mp4");
    await rejects(read!(file, options), /the file has no video stream/);
  },
});

Deno.test({
  name: "a part of a long video needs nothing of the rest",
  ignore,
  fn: async () => {
    const source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=600"];
    const coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"];
    const file = await ffmpeg([...source, ...coded], "mp4");
    const part = async (bytes: Uint8Array) => {
      await using video = await read!(bytes, options);
      strictEqual(Math.round(video.header.durationSeconds!), 600);
      const range = { start: 300, end: 302, framesPerSecond: 5, maxFrames: 16 };
      return await Array.fromAsync(video.frames(range));
    };
    const expected = await part(file);
    strictEqual(expected.length, 10);
    // Pictures of the first 240 seconds, and of those after 360, are erased.
    const text = new TextDecoder("latin1").decode(file);
    const media = text.indexOf("mdat") + 4;
    const index = text.indexOf("moov", media) - 4;
    const at = (share: number) => media + Math.floor(share * (index - media));
    file.fill(0, at(0.02), at(0.4));
    file.fill(0, at(0.6), index);
    deepStrictEqual(await part(file), expected);
  },
});

Deno.test({
  name: "playlists fetch and read nothing",
  ignore,
  fn: async () => {
    let requests = 0;
    await using listener = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => {
        requests++;
        return new Response("");
      },
    );
    await using server = await openTinyServer({ ffmpeg: "ffmpeg" });
    const url = `http://127.0.0.1:${listener.addr.port}/a.ts`;
    const names = [url, `file:${import.meta.filename}`];
    const lists = names.flatMap((name) => [
      `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${name}\n`,
      `ffconcat version 1.0\nfile '${name}'\n`,
      `<?xml version="1.0"?><MPD><BaseURL>${name}</BaseURL></MPD>`,
      `v=0\r\na=control:${name}\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n`,
    ]);
    // Alone, and behind the first bytes of a video.
    const heads = ["", "\0\0\0\x10ftypisom\0\0\0\0", "\x1aE\xdf\xa3"];
    for (const head of heads) {
      const start = Uint8Array.from(head, (letter) => letter.charCodeAt(0));
      for (const list of lists) {
        const body = await new Blob([start, list]).bytes();
        const init = bytes(body, "video/mp4");
        const answer = await server.app.request("/v1/tokenize?fps=1", init);
        strictEqual(answer.status, 415);
        await answer.body?.cancel();
      }
    }
    strictEqual(requests, 0);
  },
});
