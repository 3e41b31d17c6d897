/**
 * The header of a video, from the description that ffmpeg prints of a file.
 *
 * ```text
 * Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:…':
 *   Duration: 00:00:04.02, start: 0.000000, bitrate: 210 kb/s
 *   Stream #0:0[0x1]: Video: h264 (High), yuv420p, 160x120 [SAR …], 25 fps, …
 *     Side data:
 *       displaymatrix: rotation of 90.00 degrees
 * ```
 *
 * Metadata of a file are printed with a deeper indent, so that they cannot pass
 * for these lines.
 *
 * @module
 */

import type { PixelSize } from "../image.ts";

/** The header of a video. */
export interface VideoHeader extends PixelSize {
  /** Duration in seconds; undefined if the file does not state it. */
  readonly durationSeconds: number | undefined;
  /** Average frame rate; undefined if the file does not state it. */
  readonly framesPerSecond: number | undefined;
}

/** Options of {@linkcode parseProbe}. */
export interface ProbeOptions {
  /** True for the size after the file's rotation, false for that as stored. */
  readonly upright: boolean;
}

/** A reason that a file has no header. */
export type ProbeFault = "unreadable" | "no-video" | "unknown-codec";

/** Returns the header of the first video stream, or the reason for none. */
export function parseProbe(
  printed: string,
  { upright }: ProbeOptions,
): VideoHeader | ProbeFault {
  if (!/^Input #0, /m.test(printed)) return "unreadable";
  const stream = printed.split(/^(?= {2}Stream #)/m).find((part) =>
    /^ {2}Stream #\S+ Video: (?!.*\(attached pic\))/.test(part)
  );
  if (stream === undefined) return "no-video";
  const [line] = stream.split("\n", 1);
  const sides = /, ([1-9]\d*)x([1-9]\d*)(?=[ ,]|$)/.exec(line!);
  if (sides === null) return "unknown-codec";
  const size = { height: Number(sides[2]), width: Number(sides[1]) };
  const turned = upright && isTurned(stream);
  return {
    height: turned ? size.width : size.height,
    width: turned ? size.height : size.width,
    durationSeconds: durationOf(printed),
    framesPerSecond: rateOf(line!, "fps") ?? rateOf(line!, "tbr"),
  };
}

/** Returns true if the stream is shown turned by 90 or 270 degrees. */
function isTurned(stream: string): boolean {
  const rotation = /^ {6}displaymatrix: rotation of (-?[\d.]+) degrees/m
    .exec(stream);
  if (rotation === null) return false;
  const degrees = Math.abs(Number(rotation[1]));
  return Math.abs(degrees - 90) < 1 || Math.abs(degrees - 270) < 1;
}

function durationOf(printed: string): number | undefined {
  const duration = /^ {2}Duration: (\d+):(\d\d):(\d\d\.\d+)/m.exec(printed);
  if (duration === null) return undefined;
  const [hours, minutes, seconds] = duration.slice(1).map(Number);
  return 3600 * hours! + 60 * minutes! + seconds!;
}

/** The highest frame rate that is taken for one: clocks tick faster. */
const MAX_RATE = 1000;

function rateOf(line: string, unit: "fps" | "tbr"): number | undefined {
  const rate = new RegExp(`, ([\\d.]+) ${unit}\\b`).exec(line);
  const value = Number(rate?.[1]);
  return value > 0 && value < MAX_RATE ? value : undefined;
}
