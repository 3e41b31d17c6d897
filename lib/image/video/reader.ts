/**
 * The reader of video files, which runs the system's ffmpeg.
 *
 * ```text
 * bytes ─▶ temporary file ─▶ ffmpeg: size, duration, rate
 *                        └─▶ ffmpeg ─▶ PPM on a pipe ─▶ frames, one by one
 * ```
 *
 * A file, because the index of an MP4 may be at its end. ffmpeg opens that file
 * alone: the container is not guessed, no other demuxer, no network protocol and
 * no reference to another file is allowed, and decoders are those of a short
 * list. Pixels and CPU time are bounded, and the process of a call ends with it.
 *
 * A video is decoded completely, in the range that is asked for, or refused.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../../errors.ts";
import type { RgbImage } from "../image.ts";
import {
  isTruncatedMov,
  type VideoContainer,
  videoContainer,
} from "./container.ts";
import { readPpm } from "./ppm.ts";
import { parseProbe, type ProbeFault, type VideoHeader } from "./probe.ts";
import { Program, type ProgramEnd } from "./program.ts";
import { type TemporaryFile, temporaryFile } from "./temporary_file.ts";

/** Options of opening a video. */
export interface OpenVideoOptions {
  /** True to apply the file's rotation, as players do. */
  readonly upright: boolean;
  /** Maximum pixels of a frame. */
  readonly maxPixels: number;
  /** Signal that ends reading. */
  readonly signal: AbortSignal;
}

/** A part of a video, sampled at a constant rate. */
export interface FrameRange {
  /** Start in seconds. */
  readonly start: number;
  /** End in seconds; undefined for the end of the video. */
  readonly end: number | undefined;
  /** Frames per second of the samples. */
  readonly framesPerSecond: number;
  /** Maximum number of frames. */
  readonly maxFrames: number;
}

/** An open video; its file is removed on disposal. */
export interface Video extends AsyncDisposable {
  /** Size, duration and rate. */
  readonly header: VideoHeader;
  /**
   * Yields the frames of a range.
   *
   * @throws {ImageError} If the video is damaged or truncated.
   * @throws {ImageTooLargeError} If there are more than `maxFrames`.
   */
  frames(range: FrameRange): AsyncIterable<RgbImage>;
  /**
   * Yields one frame for each of `times`, in seconds. Each is sought, so that
   * the rest of a long video is not decoded.
   *
   * @throws {ImageError} If the video is damaged, or has no frame there.
   */
  framesAt(times: readonly number[]): AsyncIterable<RgbImage>;
}

/**
 * A function that opens the video in `bytes`.
 *
 * @throws {ImageError} If it is no video, is damaged, or has no pictures.
 * @throws {ImageTooLargeError} If its frames have more pixels than `maxPixels`.
 */
export type VideoReader = (
  bytes: Uint8Array,
  options: OpenVideoOptions,
) => Promise<Video>;

/** The decoders that are run: those of common video files. */
const DECODERS = [
  ["h264", "hevc", "vp8", "vp9", "libvpx-vp9", "libdav1d", "libaom-av1", "av1"],
  ["mpeg4", "h263", "mpeg1video", "mpeg2video", "mjpeg", "prores", "qtrle"],
  ["png", "rawvideo", "ffv1"],
].flat().join(",");

/** The maximum CPU time of reading a header, in seconds. */
const PROBE_CPU_S = 10;

/** The maximum CPU time of decoding one range, in seconds. */
const DECODE_CPU_S = 120;

/** The maximum CPU time of seeking and decoding one frame, in seconds. */
const SEEK_CPU_S = 20;

/**
 * Returns a reader of videos; undefined if ffmpeg does not exist, cannot read
 * MP4 and WebM, or may not be run by this process.
 *
 * @param program Name or path of ffmpeg.
 */
export async function findVideoReader(
  program: string,
): Promise<VideoReader | undefined> {
  const never = new AbortController().signal;
  try {
    await using listing = new Program(
      program,
      ["-hide_banner", "-demuxers"],
      never,
    );
    const listed = await new Response(listing.output).text();
    await listing.end();
    const reads = / mov,\S+ /.test(listed) && / matroska,\S+ /.test(listed);
    return reads
      ? (bytes, options) => OpenVideo.open(program, bytes, options)
      : undefined;
  } catch {
    // It does not exist, or this process may not run it.
    return undefined;
  }
}

class OpenVideo implements Video {
  readonly #program: string;
  readonly #input: readonly string[];
  readonly #options: OpenVideoOptions;
  readonly #file: TemporaryFile;
  readonly header: VideoHeader;

  private constructor(
    program: string,
    { input, file, header, options }: {
      readonly input: readonly string[];
      readonly file: TemporaryFile;
      readonly header: VideoHeader;
      readonly options: OpenVideoOptions;
    },
  ) {
    this.#program = program;
    this.#input = input;
    this.#file = file;
    this.#options = options;
    this.header = header;
  }

  static async open(
    program: string,
    bytes: Uint8Array,
    options: OpenVideoOptions,
  ): Promise<Video> {
    const container = videoContainer(bytes);
    if (container === undefined) {
      throw new ImageError("it is no MP4, QuickTime, WebM or Matroska video");
    }
    if (container === "mov" && isTruncatedMov(bytes)) {
      throw new ImageError(TRUNCATED);
    }
    options.signal.throwIfAborted();
    const file = await temporaryFile(bytes);
    try {
      const input = inputOptions(container, file.path, options);
      const header = await probe(program, input, options);
      return new OpenVideo(program, { input, file, header, options });
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  async *frames(range: FrameRange): AsyncGenerator<RgbImage> {
    const { start, end, framesPerSecond, maxFrames } = range;
    const args = [
      ...["-timelimit", `${DECODE_CPU_S}`],
      // Before the input, so that what lies outside is not read.
      ...(start > 0 ? ["-ss", decimal(start)] : []),
      ...(end === undefined ? [] : ["-t", decimal(end - start)]),
      ...this.#input,
      // One more, to find out that there are too many.
      ...["-frames:v", `${maxFrames + 1}`],
      // The frame that is shown at each moment; the first also stands for the
      // time before it.
      ...["-vf", `fps=${decimal(framesPerSecond)}:start_time=0:round=up`],
    ];
    let count = 0;
    for await (const frame of this.#decode(args)) {
      if (++count > maxFrames) throw tooManyFrames(maxFrames);
      yield frame;
    }
    if (count === 0) throw new ImageError(NO_FRAME);
  }

  async *framesAt(times: readonly number[]): AsyncGenerator<RgbImage> {
    const { framesPerSecond = 1 } = this.header;
    for (const time of times) {
      // The frame that is shown then began at most one frame before.
      const began = Math.max(0, time - 1 / framesPerSecond);
      const frame = await this.#first(began) ?? await this.#lastBefore(time);
      if (frame === undefined) throw new ImageError(NO_FRAME);
      yield frame;
    }
  }

  /** Returns the first frame from `time` on. */
  async #first(time: number): Promise<RgbImage | undefined> {
    const args = [
      ...["-timelimit", `${SEEK_CPU_S}`, "-ss", decimal(time)],
      ...this.#input,
      ...["-frames:v", "1"],
    ];
    for await (const frame of this.#decode(args)) return frame;
    return undefined;
  }

  /** Returns the last frame before `time`, which may be shown for long. */
  async #lastBefore(time: number): Promise<RgbImage | undefined> {
    const start = Math.max(0, time - LOOK_BACK_S);
    const args = [
      ...["-timelimit", `${SEEK_CPU_S}`],
      ...["-ss", decimal(start), "-t", decimal(time - start)],
      ...this.#input,
      ...["-vf", "fps=1:start_time=0"],
    ];
    let last: RgbImage | undefined;
    for await (const frame of this.#decode(args)) last = frame;
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  /** Yields what ffmpeg prints, as frames of the header's size. */
  async *#decode(args: readonly string[]): AsyncGenerator<RgbImage> {
    const { maxPixels, signal } = this.#options;
    const { height, width } = this.header;
    const line = [
      ...["-hide_banner", "-nostdin", "-loglevel", "error", "-xerror"],
      ...["-filter_threads", "1"],
      ...args,
      ...[
        "-map",
        "0:V:0",
        "-sws_flags",
        "bicubic+accurate_rnd+full_chroma_int",
      ],
      ...["-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "pipe:1"],
    ];
    await using program = new Program(this.#program, line, signal);
    for await (const frame of readPpm(program.output, maxPixels)) {
      if (frame.height !== height || frame.width !== width) {
        throw new ImageError("its frames differ in size");
      }
      yield frame;
    }
    const end = await program.end();
    signal.throwIfAborted();
    if (end.code !== 0) throw decodeFault(end);
    if (/ended prematurely|partial file/.test(end.errorOutput)) {
      throw new ImageError(TRUNCATED);
    }
  }
}

const TRUNCATED = "the video is truncated: frames are missing";

const NO_FRAME =
  "the video has no frame there: it is damaged, or its pictures end before its sound";

/** The time before a moment in which a frame is looked for, in seconds. */
const LOOK_BACK_S = 10;

/** Returns the options of the input, and what ffmpeg may do with it. */
function inputOptions(
  container: VideoContainer,
  file: string,
  { upright, maxPixels }: OpenVideoOptions,
): string[] {
  return [
    ["-protocol_whitelist", "file", "-format_whitelist", "mov,matroska"],
    ["-codec_whitelist", DECODERS, "-max_pixels", `${paddedPixels(maxPixels)}`],
    ["-an", "-sn", "-dn", "-threads", "2", "-f", container],
    // A QuickTime movie may refer to the media of other files.
    container === "mov"
      ? ["-enable_drefs", "0", "-use_absolute_path", "0"]
      : [],
    upright ? [] : ["-noautorotate"],
    ["-i", `file:${file}`],
  ].flat();
}

/** Returns the pixels of the largest frame with the margins of its blocks. */
function paddedPixels(maxPixels: number): number {
  return Math.min(Math.ceil(1.25 * maxPixels) + 2 ** 16, 2 ** 31 - 1);
}

async function probe(
  program: string,
  input: readonly string[],
  { upright, maxPixels, signal }: OpenVideoOptions,
): Promise<VideoHeader> {
  const line = [
    ...["-hide_banner", "-nostdin", "-timelimit", `${PROBE_CPU_S}`],
    ...input,
  ];
  await using description = new Program(program, line, signal);
  const { errorOutput } = await description.end();
  signal.throwIfAborted();
  const header = parseProbe(errorOutput, { upright });
  if (typeof header === "string") throw new ImageError(PROBE_FAULTS[header]);
  const { height, width } = header;
  if (height * width <= maxPixels) return header;
  throw new ImageTooLargeError(
    `a video of ${height}×${width} pixels (height×width) exceeds the limit of ${maxPixels}; send a smaller one`,
  );
}

const PROBE_FAULTS: Readonly<Record<ProbeFault, string>> = {
  "unreadable": "the video is damaged or truncated",
  "no-video": "the file has no video stream",
  "unknown-codec":
    "the codec of the video is not supported; convert it to H.264 or VP9",
};

/** Returns the error of a program that ended before the video did. */
function decodeFault({ code, errorOutput }: ProgramEnd): ImageError {
  if (/not on whitelist|not found for input stream/.test(errorOutput)) {
    return new ImageError(PROBE_FAULTS["unknown-codec"]);
  }
  return new ImageError(
    // Killed by its limit of CPU time, or by that of memory.
    code >= 128
      ? "the video takes too long to decode; send a shorter or smaller one"
      : PROBE_FAULTS.unreadable,
  );
}

function tooManyFrames(maxFrames: number): ImageTooLargeError {
  return new ImageTooLargeError(
    `the part of the video has over ${maxFrames} frames; set a lower fps, or start and end`,
  );
}

/** Returns a number without an exponent. */
function decimal(value: number): string {
  return value.toFixed(6);
}
