/**
 * Frames → H.264 in MP4, by the program ffmpeg where the system has it.
 *
 * ```text
 * rgb24 frames ─▶ stdin │ ffmpeg │ stdout ─▶ fragments of MP4
 * ```
 *
 * Frames are piped one by one and no file is written, so that the MP4 is
 * fragmented: a pipe cannot be written twice. A program that this process starts
 * lives no longer than the call.
 *
 * @module
 */

import type { RgbImage } from "./image.ts";

/** How a video plays. */
export interface VideoOptions {
  /** Frames a second. */
  readonly framesPerSecond: number;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/** Frames of one size → an MP4. */
export type VideoEncoder = (
  frames: readonly RgbImage[],
  options: VideoOptions,
) => Promise<Uint8Array<ArrayBuffer>>;

/** Encoders of H.264 that need no special hardware, the better first. */
const ENCODERS = ["libx264", "libopenh264"];

/** Beside what the frames themselves take, which no video exceeds. */
const CONTAINER_BYTES = 2 ** 20;

/** Of what the program complains. */
const MAX_COMPLAINT = 4096;

/**
 * What encodes videos; undefined where there is no ffmpeg, or none that has an
 * encoder of H.264, or where this process may not run it.
 *
 * @param program Its name or path.
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
    // It is not there, or not for us to run.
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
    const [bytes, complaint] = await Promise.all([
      readUpTo(process.stdout, maxBytes, kill),
      readUpTo(process.stderr, MAX_COMPLAINT),
      feed(process.stdin, frames),
    ]);
    const { success, code } = await process.status;
    signal.throwIfAborted();
    if (success && bytes.length <= maxBytes) return bytes;
    const said = new TextDecoder().decode(complaint).trim();
    throw new Error(`Cannot encode video: ffmpeg ended with ${code}: ${said}`);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** H.264 in 4:2:0 has whole pairs of pixels: odd sides get one more. */
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

/** One frame after the other; a program that ends early says why itself. */
async function feed(
  stdin: WritableStream<Uint8Array>,
  frames: readonly RgbImage[],
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    for (const { pixels } of frames) await writer.write(new Uint8Array(pixels));
    await writer.close();
  } catch {
    // A broken pipe: its exit code and complaint tell more.
    await writer.abort().catch(() => undefined);
  }
}

/**
 * What a stream holds, cut once it is longer than `maxBytes`; the rest is read
 * and forgotten, so that nobody waits for a full pipe.
 */
async function readUpTo(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  onExcess: () => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of stream) {
    if (length > maxBytes) continue;
    length += part.length;
    parts.push(part);
    if (length > maxBytes) onExcess();
  }
  return await new Blob(parts).bytes();
}
