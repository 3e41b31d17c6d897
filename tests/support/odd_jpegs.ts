/**
 * The JPEGs of unusual encoders: the segments of a file, rearranged.
 *
 * @module
 */

import { latin1 } from "./png_parts.ts";
import { goldenBytes } from "./pictures.ts";

/** File with half-size luma and chroma, and a JFIF marker. */
export const PLAIN_JPEG: Uint8Array = goldenBytes(
  "preprocess/baseline_420.jpg",
);

/** An odd file. */
export interface OddJpeg {
  /** Oddity, with the suffix. */
  readonly name: string;
  /** Contents of the file. */
  readonly bytes: Uint8Array;
  /** True if it decodes to the plain picture, false if its colors differ. */
  readonly isPlain: boolean;
  /** Reason for Pillow to reject it. */
  readonly unlikePillow?: string;
}

/** A segment: a marker and its data. */
interface Segment {
  readonly marker: number;
  /** Bytes with marker and length; for SOS, all that follows as well. */
  readonly bytes: readonly number[];
}

const [APP0, APP1, APP2, APP14] = [0xe0, 0xe1, 0xe2, 0xee];
const [COM, DQT, DRI, SOF0, SOF1, SOS] = [0xfe, 0xdb, 0xdd, 0xc0, 0xc1, 0xda];

function segmentsOf(bytes: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  for (let at = 2;;) {
    const marker = bytes[at + 1]!;
    const length = bytes[at + 2]! << 8 | bytes[at + 3]!;
    const end = marker === SOS ? bytes.length : at + 2 + length;
    segments.push({ marker, bytes: [...bytes.subarray(at, end)] });
    if (marker === SOS) return segments;
    at = end;
  }
}

const ALL = segmentsOf(PLAIN_JPEG);
const JFIF = ALL.filter(({ marker }) => marker === APP0);
const REST = ALL.filter(({ marker }) => marker !== APP0);

function segment(marker: number, data: Iterable<number>): Segment {
  const bytes = [...data];
  const length = bytes.length + 2;
  return { marker, bytes: [0xff, marker, length >> 8, length & 255, ...bytes] };
}

function adobe(transform: number): Segment {
  return segment(APP14, [...latin1("Adobe\0\x64\0\0\0\0"), transform]);
}

function file(
  segments: readonly Segment[],
  { between = [], after = [] }: {
    readonly between?: readonly number[];
    readonly after?: readonly number[];
  } = {},
): Uint8Array {
  const body = segments.flatMap(({ bytes }, i) =>
    i === 0 ? bytes : [...between, ...bytes]
  );
  return Uint8Array.of(0xff, 0xd8, ...body, ...after);
}

/** Renames the components, in frame and scan. */
function named(ids: string): Segment[] {
  const names = latin1(ids);
  return REST.map(({ marker, bytes }) => {
    const other = [...bytes];
    names.forEach((id, i) => {
      if (marker === SOF0) other[10 + 3 * i] = id;
      if (marker === SOS) other[5 + 2 * i] = id;
    });
    return { marker, bytes: other };
  });
}

const changed = (marker: number, change: (bytes: number[]) => number[]) =>
  ALL.map((one) =>
    one.marker === marker ? { marker, bytes: change([...one.bytes]) } : one
  );

/** Returns the last segment, with bytes before its end marker. */
const beforeEnd = (...more: number[]) =>
  changed(SOS, (bytes) => [...bytes.slice(0, -2), ...more, 0xff, 0xd9]);

function plain(name: string, bytes: Uint8Array): OddJpeg {
  return { name: `${name}.jpg`, bytes, isPlain: true };
}

function colored(name: string, bytes: Uint8Array): OddJpeg {
  return { name: `${name}.jpg`, bytes, isPlain: false };
}

const NOT_BY_PILLOW = { unlikePillow: "it refuses the file" };

/** Odd JPEGs of every kind. */
export const ODD_JPEGS: readonly OddJpeg[] = [
  plain("fill bytes", file(ALL, { between: [0xff, 0xff] })),
  plain("bytes after its end", file(ALL, { after: [1, 2, 0xff, 0xd8, 0xff] })),
  plain("a second file after it", file(ALL, { after: [...PLAIN_JPEG] })),
  plain("two ends", file(ALL, { after: [0xff, 0xd9] })),
  plain("an empty comment", file([segment(COM, []), ...ALL])),
  plain("an interval of no restart", file([segment(DRI, [0, 0]), ...ALL])),
  plain("tables twice", file([...ALL.filter((s) => s.marker === DQT), ...ALL])),
  plain(
    "an extended frame",
    file(changed(SOF0, ([mark = 0, , ...more]) => [mark, SOF1, ...more])),
  ),
  plain("no marker of JFIF", file(REST)),
  plain("a short APP0", file([segment(APP0, latin1("JF")), ...REST])),
  plain("JFXX", file([...JFIF, segment(APP0, latin1("JFXX\0\x13")), ...REST])),
  plain(
    "a damaged profile",
    file([...JFIF, segment(APP2, latin1("ICC_PROFILE\0\x07\x07")), ...REST]),
  ),
  plain(
    "a picture in its EXIF",
    file([
      ...JFIF,
      segment(APP1, [...latin1("Exif\0\0II*\0\x08\0\0\0\0\0"), ...PLAIN_JPEG]),
      ...REST,
    ]),
  ),
  plain("zeros before its end", file(beforeEnd(0, 0, 0))),
  plain("stuffing before its end", file(beforeEnd(0xff, 0, 0xff, 0))),
  plain("a comment before its end", file(beforeEnd(0xff, COM, 0, 3, 65))),
  plain("junk between segments", file(ALL, { between: [1, 2] })),
  {
    ...plain("damage before its end", file(beforeEnd(0xff, DQT, 0, 0))),
    ...NOT_BY_PILLOW,
  },
  plain("Adobe's marker, YCC", file([adobe(1), ...REST])),
  plain("Adobe's marker, unknown", file([adobe(3), ...REST])),
  plain("JFIF and Adobe's marker, RGB", file([...JFIF, adobe(0), ...REST])),
  plain("components named 0, 1, 2", file(named("\0\x01\x02"))),
  plain("components named r, g, b", file(named("rgb"))),
  plain("JFIF and components named R, G, B", file([...JFIF, ...named("RGB")])),
  colored("Adobe's marker, RGB", file([adobe(0), ...REST])),
  colored("components named R, G, B", file(named("RGB"))),
];
