/**
 * The encoder of H.264 in MP4, which runs the system's ffmpeg.
 *
 * ```text
 * rgb24 frames ─▶ stdin │ ffmpeg │ stdout ─▶ fragments of MP4
 * ```
 *
 * Frames are piped one by one and no file is written. The MP4 is fragmented,
 * because a pipe cannot seek. The process of a call ends with it.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "./image.ts";
import { readUpTo } from "./video/program.ts";

/** Options of a video. */
export interface VideoOptions extends PixelSize {
  /** Number of frames. */
  readonly frames: number;
  /** Frames per second. */
  readonly framesPerSecond: number;
  /** Signal that ends the program. */
  readonly signal: AbortSignal;
}

/**
 * A function that encodes frames as an MP4. The next frame is asked for when
 * the one before is written.
 */
export type VideoEncoder = (
  frames: AsyncIterable<RgbImage>,
  options: VideoOptions,
) => Promise<Uint8Array<ArrayBuffer>>;

/** Encoders of H.264 that need no special hardware, the preferred one first. */
const ENCODERS = ["libx264", "libopenh264"];

/** An upper bound of the container's bytes, without those of the frames. */
const CONTAINER_BYTES = 2 ** 20;

/** The maximum length of ffmpeg's error output in a message, in bytes. */
const MAX_ERROR_BYTES = 4096;

/**
 * Returns an encoder of videos; undefined if ffmpeg does not exist, has no
 * encoder of H.264, or may not be run by this process.
 *
 * @param program Name or path of ffmpeg.
 */
export async function findFfmpeg(
  program: string,
): Promise<VideoEncoder | undefined> {
  const listed = await listEncoders(program);
  const encoder = ENCODERS.find((name) => listed.includes(` ${name} `));
  if (encoder === undefined) return undefined;
  return (frames, options) => encode(program, encoder, frames, options);
}

async function listEncoders(program: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args: ["-hide_banner", "-encoders"],
      stdin: "null",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    // It does not exist, or this process may not run it.
    return "";
  }
}

async function encode(
  program: string,
  encoder: string,
  frames: AsyncIterable<RgbImage>,
  options: VideoOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { height, width, signal } = options;
  signal.throwIfAborted();
  const process = new Deno.Command(program, {
    args: commandLine(encoder, options),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => {
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };
  signal.addEventListener("abort", kill);
  const maxBytes = 3 * options.frames * height * width + CONTAINER_BYTES;
  try {
    const [bytes, errorOutput] = await Promise.all([
      readUpTo(process.stdout, maxBytes, kill),
      readUpTo(process.stderr, MAX_ERROR_BYTES),
      feed(process.stdin, frames),
    ]);
    const { success, code } = await process.status;
    signal.throwIfAborted();
    if (success && bytes.length <= maxBytes) return bytes;
    const reason = new TextDecoder().decode(errorOutput).trim();
    throw new Error(
      `Cannot encode video: ffmpeg ended with ${code}: ${reason}`,
    );
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
    await process.status;
  }
}

/**
 * Returns the arguments. The file has no index of its fragments at its end,
 * where metadata may follow. H.264 in 4:2:0 requires even sides: odd ones are
 * padded by one pixel.
 */
function commandLine(
  encoder: string,
  { height, width, framesPerSecond }: VideoOptions,
): string[] {
  return [
    ["-hide_banner", "-loglevel", "error", "-nostdin"],
    ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`],
    ["-r", `${framesPerSecond}`, "-i", "pipe:0"],
    ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"],
    ["-c:v", encoder, "-pix_fmt", "yuv420p", "-threads", "2"],
    [
      "-movflags",
      "frag_keyframe+empty_moov+skip_trailer",
      "-f",
      "mp4",
      "pipe:1",
    ],
  ].flat();
}

/**
 * Writes one frame after the other. A program that ends early reports the
 * reason on its error output.
 *
 * @throws The error of the frames.
 */
async function feed(
  stdin: WritableStream<Uint8Array>,
  frames: AsyncIterable<RgbImage>,
): Promise<void> {
  const writer = stdin.getWriter();
  // A broken pipe ends the writing; the exit code and the error output are more
  // specific.
  const isWritten = (writing: Promise<void>) =>
    writing.then(() => true, () => false);
  try {
    for await (const { pixels } of frames) {
      if (!await isWritten(writer.write(new Uint8Array(pixels)))) return;
    }
  } finally {
    await isWritten(writer.close());
  }
}
