/** Videos of scripts in place of ffmpeg; `tests/system` has real ones. */

import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { dirname } from "node:path";
import { ImageError, ImageTooLargeError } from "../../../../lib/errors.ts";
import {
  findVideoReader,
  type FrameRange,
  type OpenVideoOptions,
  type Video,
} from "../../../../lib/image/video/reader.ts";
import {
  DESCRIPTION,
  type FakeFfmpeg,
  fakeFfmpeg,
  type FakeProgram,
  MP4,
  printFrames,
} from "../../../support/fake_ffmpeg.ts";

const options: OpenVideoOptions = {
  upright: true,
  maxPixels: 2000,
  signal: new AbortController().signal,
};

const range: FrameRange = {
  start: 0,
  end: undefined,
  framesPerSecond: 4,
  maxFrames: 4,
};

/** Opens a video of a script, and returns it with the script. */
async function open(
  parts: FakeFfmpeg = {},
  changes: Partial<OpenVideoOptions> = {},
  bytes: Uint8Array = MP4,
): Promise<AsyncDisposable & { program: FakeProgram; video: Video }> {
  const program = await fakeFfmpeg(parts);
  try {
    const read = await findVideoReader(program.path);
    const video = await read!(bytes, { ...options, ...changes });
    return {
      program,
      video,
      [Symbol.asyncDispose]: async () => {
        await video[Symbol.asyncDispose]();
        program[Symbol.dispose]();
      },
    };
  } catch (error) {
    program[Symbol.dispose]();
    throw error;
  }
}

/** Returns the first levels of the frames of a range. */
async function levels(
  video: Video,
  changes: Partial<FrameRange> = {},
): Promise<number[]> {
  const frames = await Array.fromAsync(video.frames({ ...range, ...changes }));
  return frames.map(({ pixels }) => pixels[0]!);
}

/** Returns the path of the file in a line of arguments. */
function fileIn(line: string): string {
  return /-i file:(\S+)/.exec(line)![1]!;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("findVideoReader() returns undefined without a program or its demuxers", async () => {
  strictEqual(await findVideoReader("/nowhere/ffmpeg"), undefined);
  using program = await fakeFfmpeg({ demuxers: " D  mov,mp4   QuickTime" });
  strictEqual(await findVideoReader(program.path), undefined);
});

Deno.test("a video yields its frames in order", async () => {
  await using opened = await open();
  deepStrictEqual(opened.video.header, {
    height: 32,
    width: 48,
    durationSeconds: 2,
    framesPerSecond: 4,
  });
  deepStrictEqual(await levels(opened.video), [1, 2, 3, 4]);
});

Deno.test("the program may open its one file alone, as the container that it is", async () => {
  const restrictions =
    "-protocol_whitelist file -format_whitelist mov,matroska";
  await using mp4 = await open({}, { upright: false });
  await levels(mp4.video, { start: 1, end: 3 });
  const matroska = Uint8Array.from([0x1a, 0x45, 0xdf, 0xa3]);
  await using webm = await open({}, {}, matroska);
  const [mp4Lines, webmLines] = [mp4, webm].map(({ program }) =>
    program.calls()
  );
  strictEqual(mp4Lines!.length, 2);
  for (const line of [...mp4Lines!, ...webmLines!]) {
    match(
      line,
      new RegExp(`-nostdin .*${restrictions} -codec_whitelist \\S+ `),
    );
    match(line, /-max_pixels \d+ -an -sn -dn -threads 2 -f (mov|matroska) /);
    match(line, / -i file:\S+\/video/);
  }
  for (const line of mp4Lines!) {
    match(line, /-f mov -enable_drefs 0 -use_absolute_path 0 -noautorotate -i/);
  }
  match(webmLines![0]!, /-f matroska -i/);
  match(
    mp4Lines![1]!,
    /-timelimit \d+ -ss 1.000000 -t 2.000000 .* -frames:v 5 -vf fps=4.000000:start_time=0:round=up /,
  );
});

Deno.test("the file is readable by its user alone, and removed", async () => {
  let path: string;
  {
    await using opened = await open();
    path = fileIn(opened.program.calls()[0]!);
    const { mode } = await Deno.stat(path);
    strictEqual(mode! & 0o777, 0o600);
    strictEqual((await Deno.stat(dirname(path))).mode! & 0o777, 0o700);
    deepStrictEqual(await Deno.readFile(path), MP4);
  }
  strictEqual(await exists(path), false);
});

Deno.test("the file is removed if the video cannot be opened", async () => {
  using program = await fakeFfmpeg({ description: "broken" });
  const read = await findVideoReader(program.path);
  await rejects(read!(MP4, options), ImageError);
  strictEqual(await exists(fileIn(program.calls()[0]!)), false);
});

Deno.test("a reader refuses what has no pictures, or too large ones", async () => {
  const stream = "Stream #0:0: Video: h264, yuv420p, 48x32";
  const cases: [description: string, reason: RegExp][] = [
    ["Invalid data", /the video is damaged or truncated/],
    [DESCRIPTION.replace(stream, "Stream #0:0: Audio: aac"), /no video stream/],
    [DESCRIPTION.replace("48x32, ", ""), /codec of the video is not supported/],
  ];
  for (const [description, reason] of cases) {
    await rejects(open({ description }), (error) => {
      match(String(error), reason);
      return error instanceof ImageError;
    });
  }
  await rejects(open({}, { maxPixels: 48 * 32 - 1 }), ImageTooLargeError);
});

Deno.test("a reader starts no program for other files", async () => {
  using program = await fakeFfmpeg();
  const read = await findVideoReader(program.path);
  const texts = ["#EXTM3U\nfile:///etc/hostname", "ffconcat version 1.0", ""];
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    await rejects(read!(bytes, options), /is no MP4, QuickTime, WebM/);
  }
  await rejects(read!(MP4.subarray(0, 12), options), /the video is truncated/);
  deepStrictEqual(program.calls(), []);
});

Deno.test("frames() refuses more frames than are allowed, and ends the program", async () => {
  await using opened = await open({ decode: printFrames(9) });
  await rejects(levels(opened.video), ImageTooLargeError);
});

Deno.test("frames() refuses a video that is damaged, empty or changes its size", async () => {
  const cases: [decode: string, reason: RegExp][] = [
    [`${printFrames(2)}; echo damaged >&2; exit 1`, /is damaged or truncated/],
    [`${printFrames(2)}; kill -XCPU $$`, /takes too long to decode/],
    [
      `${printFrames(2)}; echo 'File ended prematurely' >&2`,
      /the video is truncated/,
    ],
    ['echo "Codec (x) not on whitelist" >&2; exit 1', /is not supported/],
    ["exit 0", /the video has no frame there/],
    ["printf 'P6\\n1 1\\n255\\nabc'", /its frames differ in size/],
    ["printf 'P6\\n48 32\\n255\\nabc'", /a frame is incomplete/],
  ];
  for (const [decode, reason] of cases) {
    await using opened = await open({ decode });
    await rejects(levels(opened.video), (error) => {
      match(String(error), reason);
      return error instanceof ImageError;
    });
  }
});

Deno.test("framesAt() seeks each frame", async () => {
  await using opened = await open({ decode: printFrames(1) });
  const frames = await Array.fromAsync(opened.video.framesAt([0.1, 1.5]));
  strictEqual(frames.length, 2);
  const [, ...lines] = opened.program.calls();
  deepStrictEqual(
    lines.map((line) => /-ss (\S+).*(-frames:v 1) /.exec(line)!.slice(1)),
    [["0.000000", "-frames:v 1"], ["1.250000", "-frames:v 1"]],
  );
});

Deno.test("framesAt() takes the last frame before a moment that has none", async () => {
  const decode = `case "$*" in *fps=1*) ${printFrames(3)};; esac`;
  await using opened = await open({ decode });
  const frames = await Array.fromAsync(opened.video.framesAt([20]));
  deepStrictEqual(frames.map(({ pixels }) => pixels[0]), [3]);
  match(opened.program.calls().at(-1)!, /-ss 10.000000 -t 10.000000 /);
});

Deno.test("framesAt() refuses a video without a frame", async () => {
  await using opened = await open({ decode: "exit 0" });
  await rejects(
    Array.fromAsync(opened.video.framesAt([1])),
    /the video has no frame there/,
  );
});

Deno.test("the program is killed when frames are no longer taken", async () => {
  const decode = `echo $$ > "$here/pid"; ${
    printFrames(1)
  }; exec tail -f /dev/null`;
  await using opened = await open({ decode });
  for await (const _ of opened.video.frames(range)) break;
  strictEqual(await running(opened.program), false);
});

Deno.test("the program is killed when its signal aborts", async () => {
  const leave = new AbortController();
  const decode = `echo $$ > "$here/pid"; ${
    printFrames(1)
  }; exec tail -f /dev/null`;
  await using opened = await open({ decode }, { signal: leave.signal });
  const reason = new Error("left");
  const taking = (async () => {
    for await (const _ of opened.video.frames(range)) leave.abort(reason);
  })();
  strictEqual(await taking.catch((error) => error), reason);
  strictEqual(await running(opened.program), false);
  const late = levels(opened.video);
  strictEqual(await late.catch((error) => error), reason);
});

/** Returns true if the program that wrote its id still runs. */
async function running({ folder }: FakeProgram): Promise<boolean> {
  return await exists(
    `/proc/${(await Deno.readTextFile(`${folder.path}/pid`)).trim()}`,
  );
}
