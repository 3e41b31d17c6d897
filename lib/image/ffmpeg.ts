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

import type { RgbImage } from "./image.ts";
import { readUpTo } from "./video/program.ts";

/** Options of a video. */
export interface VideoOptions {
  /** Frames per second. */
  readonly framesPerSecond: number;
  /** Signal that ends the program. */
  readonly signal: AbortSignal;
}

/** A function that encodes frames of one size as an MP4. */
export type VideoEncoder = (
  frames: readonly RgbImage[],
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
  frames: readonly RgbImage[],
  { framesPerSecond, signal }: VideoOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  signal.throwIfAborted();
  const { height, width } = frames[0]!;
  const process = new Deno.Command(program, {
    args: commandLine({ height, width, framesPerSecond, encoder }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => process.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  const maxBytes = 3 * frames.length * height * width + CONTAINER_BYTES;
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
  }
}

/**
 * Returns the arguments. H.264 in 4:2:0 requires even sides: odd ones are
 * padded by one pixel.
 */
function commandLine(
  { height, width, framesPerSecond, encoder }: {
    readonly height: number;
    readonly width: number;
    readonly framesPerSecond: number;
    readonly encoder: string;
  },
): string[] {
  return [
    ["-hide_banner", "-loglevel", "error", "-nostdin"],
    ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`],
    ["-r", `${framesPerSecond}`, "-i", "pipe:0"],
    ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"],
    ["-c:v", encoder, "-pix_fmt", "yuv420p", "-threads", "2"],
    ["-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "pipe:1"],
  ].flat();
}

/**
 * Writes one frame after the other. A program that ends early reports the
 * reason on its error output.
 */
async function feed(
  stdin: WritableStream<Uint8Array>,
  frames: readonly RgbImage[],
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    for (const { pixels } of frames) await writer.write(new Uint8Array(pixels));
    await writer.close();
  } catch {
    // A broken pipe; the exit code and the error output are more specific.
    await writer.abort().catch(() => undefined);
  }
}
