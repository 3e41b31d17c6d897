import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { readPth } from "../../../deploy/prepare/torch/read_pth.ts";
import {
  readStoredZip,
  writeStoredZip,
} from "../../../deploy/prepare/torch/stored_zip.ts";
import { PickleWriter } from "../../../deploy/prepare/torch/pickle_writer.ts";
import { writePth } from "../../../deploy/prepare/torch/write_pth.ts";
import { anyRecord } from "../../support/prepared_records.ts";

function golden(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(
    new URL(`../../golden/prepare/${name}`, import.meta.url),
  );
}

Deno.test("readPth() reads back what writePth() wrote", () => {
  fc.assert(
    fc.property(anyRecord, fc.string({ unit: "grapheme" }), (record, name) => {
      const { images, ...content } = readPth(writePth(record, name));
      const { text, question, answer, height, width, codes } = record;
      deepStrictEqual(content, { name, text, question, answer });
      deepStrictEqual(images, { height, width, values: [...codes] });
    }),
  );
});

Deno.test("readPth() reads tensors and arrays that PyTorch saved", () => {
  for (const name of ["array.pth", "tensor.pth"]) {
    const { images, ...content } = readPth(golden(name));
    deepStrictEqual([...images.values], [7, 300, 0, 32767, 1, 2], name);
    deepStrictEqual([images.height, images.width], [2, 3]);
    strictEqual(content.name, "größe/1");
    strictEqual(content.text, "a cat");
  }
  const { images } = readPth(golden("transposed.pth"));
  deepStrictEqual(images.values, [7, 300, 0, 32767, 1, 2]);
});

Deno.test("readPth() rejects other files than codes, with a reason", () => {
  const pth = (data: Uint8Array) =>
    writeStoredZip([{ name: "archive/data.pkl", data }]);
  const faults: [Uint8Array, RegExp][] = [
    [new Uint8Array(10), /not a ZIP archive/],
    [
      golden("tensor.pth").subarray(0, 600),
      /not a ZIP archive, or is truncated/,
    ],
    [writeStoredZip([]), /no data\.pkl/],
    [golden("floats.pth"), /does not hold whole numbers/],
    [pth(new PickleWriter().code("}").finish()), /not a dictionary of name/],
    [
      pth(new PickleWriter().global("os", "system").finish()),
      /refers to os\.system, which is not supported/,
    ],
    [pth(Uint8Array.of(0x80, 2, 0xfe)), /pickle is damaged/],
  ];
  for (const [bytes, message] of faults) {
    throws(() => readPth(bytes), { name: "SyntaxError", message });
  }
});

Deno.test("writeStoredZip() aligns data to 64 bytes", () => {
  const entries = [1, 63, 0, 200].map((length, i) => ({
    name: `a/${"x".repeat(i)}`,
    data: new Uint8Array(length).fill(i),
  }));
  const zip = writeStoredZip(entries);
  for (const [name, data] of readStoredZip(zip)) {
    strictEqual(data.byteOffset % 64, 0);
    deepStrictEqual(data, entries.find((one) => one.name === name)!.data);
  }
});
