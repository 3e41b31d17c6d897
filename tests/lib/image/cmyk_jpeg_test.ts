import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { decodeCmykJpeg } from "../../../lib/image/cmyk_jpeg.ts";
import { decodeImage } from "../../../lib/image/decode.ts";
import { goldenBytes, goldenJson } from "../../support/pictures.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;

interface Golden {
  readonly name: string;
  readonly jpeg: string;
  readonly rgb: string;
}

const files: Golden[] = goldenJson("jpeg/rare.json").files;

for (const { name, jpeg, rgb } of files) {
  Deno.test(`decodeImage() reads a JPEG of ${name} as Pillow does`, async () => {
    const bytes = Uint8Array.fromBase64(jpeg);
    const { pixels } = await decodeImage(bytes, reference);
    deepStrictEqual(new Uint8Array(pixels), Uint8Array.fromBase64(rgb));
  });
}

function named(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(files.find((one) => one.name === name)!.jpeg);
}

Deno.test("decodeImage() refuses a CMYK JPEG truncated at any byte", async () => {
  for (const name of ["cmyk", "ycck, progressive", "cmyk, restarts"]) {
    const bytes = named(name);
    for (let part = 0; part < 20; part++) {
      const length = Math.floor((bytes.length - 12) * part / 20);
      await rejects(decodeImage(bytes.slice(0, length), reference), name);
    }
  }
});

/** Returns the offset of the first marker of a kind. */
function marker(bytes: Uint8Array, kind: number): number {
  return bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === kind);
}

/** Returns a file with bytes written over those after a marker. */
function written(
  kind: number,
  offset: number,
  values: readonly number[],
): Uint8Array {
  const bytes = named("cmyk");
  bytes.set(values, marker(bytes, kind) + offset);
  return bytes;
}

Deno.test("decodeCmykJpeg() refuses damaged files, with the reason", () => {
  const scan = named("cmyk");
  const data = marker(scan, 0xda) + 16;
  const factors = written(0xc0, 11, [0x31]);
  factors[marker(factors, 0xc0) + 14] = 0x21;
  const cases: [Uint8Array, RegExp][] = [
    [written(0xc0, 4, [12]), /12 bits per sample/],
    [written(0xc0, 11, [0x00]), /a sampling factor is invalid/],
    [factors, /unsupported sampling factors/],
    [written(0xda, 5, [99]), /a scan has no component/],
    [written(0xda, 6, [0x33]), /a Huffman table is missing/],
    [written(0xc4, 5, [9, 9]), /a Huffman table is overfull/],
    [scan.slice(0, data + 9), /truncated/],
    [scan.slice(0, -2), /truncated/],
    [Uint8Array.of(...scan.slice(0, data), 0xff, 0xd9), /truncated/],
    [Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), /truncated/],
    [new Uint8Array(scan).fill(0xff, data, data + 1), /damaged|truncated/],
  ];
  for (const [bytes, message] of cases) {
    throws(() => decodeCmykJpeg(bytes), message);
  }
  const frame = marker(scan, 0xc0);
  const twice = Uint8Array.of(
    ...scan.subarray(0, frame),
    ...scan.subarray(frame, frame + 22),
    ...scan.subarray(frame),
  );
  throws(() => decodeCmykJpeg(twice), /two frame headers/);
});

Deno.test("decodeImage() reads the golden CMYK JPEG without Adobe's marker", async () => {
  const bytes = goldenBytes("preprocess/cmyk.jpg");
  const at = marker(bytes, 0xee);
  const length = 2 + new DataView(bytes.buffer).getUint16(at + 2);
  const without = Uint8Array.of(
    ...bytes.subarray(0, at),
    ...bytes.subarray(at + length),
  );
  deepStrictEqual(
    await decodeImage(without, reference),
    await decodeImage(bytes, reference),
  );
});
