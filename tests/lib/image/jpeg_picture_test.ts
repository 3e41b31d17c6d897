/** JPEGs of other programs, unusual or damaged. */

import {
  deepStrictEqual,
  notDeepStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { decodeImage } from "../../../lib/image/decode.ts";
import { readJpegLayout } from "../../../lib/image/format/jpeg.ts";
import { exifBlock, XMP_PACKET } from "../../support/orientation_blocks.ts";
import { latin1 } from "../../support/png_parts.ts";
import { ODD_JPEGS, PLAIN_JPEG } from "../../support/odd_jpegs.ts";
import { goldenBytes, sha256 } from "../../support/pictures.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;
const original = goldenBytes("preprocess/baseline_420.jpg");

/** Returns the offsets of the markers of a kind. */
function markers(bytes: Uint8Array, marker: number): number[] {
  return [...bytes.keys()].filter((at) =>
    bytes[at] === 0xff && bytes[at + 1] === marker
  );
}

/** Inserts bytes at an offset. */
function inserted(
  bytes: Uint8Array,
  at: number,
  more: readonly number[],
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...bytes.subarray(0, at),
    ...more,
    ...bytes.subarray(at),
  ]);
}

const SOF0 = 0xc0;
const DHT = 0xc4;
const SOS = 0xda;

Deno.test("decodeImage() skips junk between the segments of a JPEG", async () => {
  const expected = await decodeImage(original, reference);
  for (const junk of [[0], [1, 2, 3], [0xff], [0xff, 0, 7], [0xff, 0xff]]) {
    for (const marker of [SOF0, DHT, SOS]) {
      const [at] = markers(original, marker);
      const { pixels } = await decodeImage(
        inserted(original, at!, junk),
        reference,
      );
      deepStrictEqual(pixels, expected.pixels, `${junk} before ${marker}`);
    }
  }
});

Deno.test("decodeImage() takes the height of a JPEG from DNL", async () => {
  const expected = await decodeImage(original, reference);
  const { heightOffset, height } = readJpegLayout(original);
  const late = original.slice();
  late.set([0, 0], heightOffset);
  const end = late.length - 2;
  const dnl = [0xff, 0xdc, 0, 4, height >> 8, height & 255];
  deepStrictEqual(
    await decodeImage(inserted(late, end, dnl), reference),
    expected,
  );
  await rejects(decodeImage(late, reference), /0×75 pixels/);
});

Deno.test("decodeImage() refuses a JPEG whose scan is truncated, with and without its end marker", async () => {
  for (const share of [0.3, 0.6, 0.9]) {
    const [scan] = markers(original, SOS);
    const length = scan! + Math.floor(share * (original.length - scan!));
    const cut = original.subarray(0, length);
    for (const bytes of [cut, inserted(cut, length, [0xff, 0xd9])]) {
      await rejects(decodeImage(bytes, reference), /truncated/, `${share}`);
    }
  }
});

Deno.test("decodeImage() names the kind of JPEG that it does not decode", async () => {
  const cases: readonly (readonly [number, RegExp])[] = [
    [0xc3, /lossless \(SOF 0xc3\), which is not supported; save it as/],
    [0xc5, /hierarchical \(SOF 0xc5\)/],
    [0xc9, /arithmetic coding/],
    [0xcb, /lossless|arithmetic/],
  ];
  for (const [process, reason] of cases) {
    const bytes = original.slice();
    const [at] = markers(bytes, SOF0);
    bytes[at! + 1] = process;
    await rejects(decodeImage(bytes, reference), reason);
  }
  const deep = original.slice();
  deep[markers(deep, SOF0)[0]! + 4] = 12;
  await rejects(
    decodeImage(deep, reference),
    /12 bits per sample; save it with 8/,
  );
});

/**
 * A gray gradient of 32 × 32 with a restart marker after each row of blocks.
 */
const RESTARTING = Uint8Array.fromBase64(
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//wAALCAAgACABAREA/8QAFgABAQEAAAAAAAAAAAAAAAAABQYH/8QAGBAAAgMAAAAAAAAAAAAAAAAAAAMEITH/3QAEAAT/2gAIAQEAAD8Az+OrKFI6soUjqyhOOrKP/9COjqyhSOrKE46soUjqyj//0Z2OrKFI6soTjqyhSOrKP//SMjqyhOOrKFI6soUjqyj/2Q==",
);

Deno.test("decodeImage() recovers after damage between restart markers", async () => {
  ok(readJpegLayout(RESTARTING).restarts);
  const whole = await decodeImage(RESTARTING, reference);
  const [second] = markers(RESTARTING, 0xd0);
  const [third] = markers(RESTARTING, 0xd1);
  // The second row of blocks ends early.
  const damaged = Uint8Array.from([
    ...RESTARTING.subarray(0, second! + 4),
    ...RESTARTING.subarray(third!),
  ]);
  const { pixels } = await decodeImage(damaged, reference);
  const rows = (from: number, to: number) => [32 * 3 * from, 32 * 3 * to];
  for (const [from, to] of [rows(0, 8), rows(16, 32)]) {
    deepStrictEqual(
      pixels.subarray(from, to),
      whole.pixels.subarray(from, to),
    );
  }
  const [from, to] = rows(8, 16);
  notDeepStrictEqual(
    pixels.subarray(from, to),
    whole.pixels.subarray(from, to),
  );
});

Deno.test("decodeImage() turns a JPEG by EXIF, else by XMP", async () => {
  const stored = await decodeImage(original, reference);
  const exif = [...latin1("Exif\0\0"), ...exifBlock({ order: "MM", type: 4 })];
  const xmp = [...latin1(`http://ns.adobe.com/xap/1.0/\0${XMP_PACKET}`)];
  const upright = exif.with(-5, 1);
  const segment = (data: readonly number[]) => [
    ...[0xff, 0xe1, (data.length + 2) >> 8, (data.length + 2) & 255],
    ...data,
  ];
  for (
    const [segments, isTurned] of [
      [segment(exif), true],
      [segment(xmp), true],
      [[...segment(xmp), ...segment(upright)], false],
    ] as const
  ) {
    const bytes = inserted(original, 2, segments);
    const { height, width } = await decodeImage(bytes, {
      ...reference,
      decode: "display",
    });
    const size = [stored.height, stored.width];
    deepStrictEqual([height, width], isTurned ? size.reverse() : size);
  }
});

Deno.test("decodeImage() reads a JPEG whose segments after its scans are damaged", async () => {
  for (const name of ["baseline_420.jpg", "progressive.jpg"]) {
    const bytes = goldenBytes(`preprocess/${name}`);
    const expected = await decodeImage(bytes, reference);
    const end = bytes.length - 2;
    for (
      const segment of [
        [0xff, 0xdb, 0, 0],
        [0xff, 0xdb, 0, 4, 0xff, 0xff],
        [0xff, 0xc4, 0xff, 0xff],
        [0xff, 0xc0, 0, 2],
      ]
    ) {
      const odd = inserted(bytes, end, segment);
      deepStrictEqual(await decodeImage(odd, reference), expected, name);
      const half = Math.floor(end / 2);
      await rejects(decodeImage(inserted(bytes, half, segment), reference));
    }
  }
});

for (const { name, bytes, isPlain } of ODD_JPEGS) {
  Deno.test(`decodeImage() reads a JPEG with ${name}`, async () => {
    const { pixels } = await decodeImage(bytes, reference);
    const expected = await decodeImage(PLAIN_JPEG, reference);
    if (isPlain) deepStrictEqual(pixels, expected.pixels);
    else strictEqual(sha256(pixels), RGB_BY_PILLOW);
  });
}

/** Samples of the plain picture taken for red, green and blue. */
const RGB_BY_PILLOW =
  "af2f4dc3714252cd9dd1e9d3d609651977a049c9c78bc8bbf32234e6d78e6761";
