/** Videos of scripts in place of ffmpeg. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { findFfmpeg, type VideoEncoder } from "../../../lib/image/ffmpeg.ts";
import type { RgbImage } from "../../../lib/image/image.ts";
import { yielded } from "../../support/animations.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const NEVER = new AbortController().signal;

/** Frames of 3 × 5 pixels, each of one level. */
const frames = [1, 2, 3].map((level): RgbImage => ({
  height: 3,
  width: 5,
  pixels: new Uint8ClampedArray(45).fill(level),
}));
const shape = { frames: 3, height: 3, width: 5, framesPerSecond: 8 };

/** Writes a program that lists `encoders` and runs `script` on its input. */
async function programOf(
  script: string,
  encoders = " V....D libx264  H.264",
): Promise<Disposable & { encode: VideoEncoder | undefined; path: string }> {
  const folder = temporaryFolder();
  const path = folder.write(
    "ffmpeg",
    `#!/bin/sh\ncase "$*" in *-encoders) echo '${encoders}'; exit;; esac\n${script}\n`,
  );
  await Deno.chmod(path, 0o755);
  const encode = await findFfmpeg(path);
  return {
    encode,
    path: folder.path,
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

Deno.test("findFfmpeg() returns undefined if there is no program or no encoder", async () => {
  strictEqual(await findFfmpeg("/nowhere/ffmpeg"), undefined);
  using other = await programOf("cat", " V....D mpeg4  MPEG-4");
  strictEqual(other.encode, undefined);
});

Deno.test("encode() pipes all frames in order and returns the program's output", async () => {
  using program = await programOf(`echo "$@" > "$(dirname "$0")/line"; cat`);
  const options = { ...shape, signal: NEVER };
  const bytes = await program.encode!(yielded(frames), options);
  deepStrictEqual([...bytes], frames.flatMap(({ pixels }) => [...pixels]));
  const line = await Deno.readTextFile(`${program.path}/line`);
  strictEqual(
    line,
    "-hide_banner -loglevel error -nostdin -f rawvideo -pix_fmt rgb24 -s 5x3 -r 8 -i pipe:0 -vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -c:v libx264 -pix_fmt yuv420p -threads 2 -movflags frag_keyframe+empty_moov+skip_trailer -f mp4 pipe:1\n",
  );
});

Deno.test("encode() reports the program's error output", async () => {
  using program = await programOf("cat > /dev/null; echo broken >&2; exit 3");
  await rejects(
    program.encode!(yielded(frames), { ...shape, signal: NEVER }),
    { message: "Cannot encode video: ffmpeg ended with 3: broken" },
  );
});

Deno.test("encode() ends a program that writes without end", async () => {
  using program = await programOf("exec cat /dev/zero");
  await rejects(
    program.encode!(yielded(frames), { ...shape, signal: NEVER }),
    /^Error: Cannot encode video: ffmpeg ended with 137/,
  );
});

Deno.test("encode() kills the program when its signal aborts", async () => {
  using program = await programOf("exec tail -f /dev/null");
  const leave = new AbortController();
  const options = { ...shape, signal: leave.signal };
  const video = program.encode!(yielded(frames), options);
  const reason = new Error("left");
  leave.abort(reason);
  strictEqual(await video.catch((error) => error), reason);
  strictEqual(
    await program.encode!(yielded(frames), options).catch((error) => error),
    reason,
  );
});

Deno.test("encode() ends the program when a frame cannot be decoded", async () => {
  using program = await programOf("exec tail -f /dev/null");
  async function* broken(): AsyncGenerator<RgbImage> {
    yield* yielded(frames);
    throw new Error("no such code");
  }
  await rejects(
    program.encode!(broken(), { ...shape, signal: NEVER }),
    /^Error: no such code$/,
  );
});

Deno.test("encode() asks for no frame once the program ended", async () => {
  using program = await programOf("exit 3");
  let count = 0;
  async function* endless(): AsyncGenerator<RgbImage> {
    for (; count < 100_000; count++) yield await Promise.resolve(frames[0]!);
  }
  await rejects(
    program.encode!(endless(), { ...shape, signal: NEVER }),
    /ffmpeg ended with 3/,
  );
  ok(count < 100_000);
});
