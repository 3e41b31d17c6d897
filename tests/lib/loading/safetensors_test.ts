import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { CheckpointError } from "../../../lib/errors.ts";
import { readSafetensorsHeader } from "../../../lib/loading/safetensors.ts";
import { goldenPath } from "../../support/golden.ts";
import { readSafetensors, type Tensor } from "../../support/safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import {
  safetensorsBytes,
  withHeader,
} from "../../support/write_safetensors.ts";

const side = fc.integer({ min: 0, max: 4 });
const anyTensor: fc.Arbitrary<Tensor> = fc.tuple(
  fc.array(side, { maxLength: 3 }),
  fc.constantFrom("F32", "I64", "BF16", "U8"),
).map(([shape, dtype]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  const data = {
    F32: () => new Float32Array(count),
    I64: () => new BigInt64Array(count),
    BF16: () => new Uint16Array(count),
    U8: () => new Uint8Array(count),
  }[dtype]();
  return { dtype, shape, data };
});
const anyTensors = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
  anyTensor,
  { maxKeys: 6, noNullPrototype: true },
).map((tensors) => new Map(Object.entries(tensors)));

/** Returns eight bytes of data after a header that may not match them. */
function fileOf(header: unknown, length = 8): Uint8Array<ArrayBuffer> {
  return withHeader(JSON.stringify(header), new Uint8Array(length));
}

function entry(dtype: unknown, shape: unknown, offsets: unknown) {
  return { dtype, shape, "data_offsets": offsets };
}

async function assertRefused(
  bytes: Uint8Array,
  message: RegExp,
): Promise<void> {
  using folder = temporaryFolder();
  const path = folder.write("x.safetensors", bytes);
  await rejects(readSafetensorsHeader(path), (error) => {
    ok(error instanceof CheckpointError, String(error));
    strictEqual(error.file, path);
    ok(error.message.startsWith(`Cannot open ${path}: `));
    ok(message.test(error.message), error.message);
    return true;
  });
}

Deno.test("readSafetensorsHeader() finds every tensor where it was written", async () => {
  using folder = temporaryFolder();
  await fc.assert(fc.asyncProperty(anyTensors, async (tensors) => {
    const bytes = safetensorsBytes(tensors);
    const path = folder.write("x.safetensors", bytes);
    const header = await readSafetensorsHeader(path);
    deepStrictEqual([...header.tensors.keys()], [...tensors.keys()]);
    let end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    for (const [name, { dtype, shape, data }] of tensors) {
      const length = data.byteLength;
      const expected = { dtype, shape, offset: end, length };
      deepStrictEqual(header.tensors.get(name), expected);
      end += length;
    }
    strictEqual(end, bytes.length);
  }));
});

Deno.test("readSafetensorsHeader() reads the reference's file, and its metadata", async () => {
  const path = goldenPath(
    "checkpoints/emu3-tiny/model-00001-of-00002.safetensors",
  );
  const { tensors, metadata } = await readSafetensorsHeader(path);
  deepStrictEqual(metadata, { format: "pt" });
  const expected = readSafetensors(path);
  deepStrictEqual([...tensors.keys()].sort(), [...expected.keys()].sort());
  const bytes = await Deno.readFile(path);
  for (const [name, { offset, length }] of tensors) {
    const { buffer } = bytes.slice(offset, offset + length);
    deepStrictEqual(new Float32Array(buffer), expected.get(name)!.data, name);
  }
});

Deno.test("readSafetensorsHeader() accepts a header padded with spaces, and tensors of no bytes", async () => {
  using folder = temporaryFolder();
  const header = JSON.stringify({
    a: entry("F32", [0, 5], [0, 0]),
    b: entry("F32", [2], [0, 8]),
  });
  const path = folder.write(
    "x.safetensors",
    withHeader(`${header}      `, new Uint8Array(8)),
  );
  const { tensors } = await readSafetensorsHeader(path);
  strictEqual(tensors.get("a")!.length, 0);
  strictEqual(tensors.get("b")!.offset, 8 + header.length + 6);
});

const sound = fileOf({ a: entry("F32", [2], [0, 8]) });

const unsafe: Record<string, [Uint8Array, RegExp]> = {
  "an empty file": [new Uint8Array(), /it ends after 0 bytes/],
  "a file of 7 bytes": [new Uint8Array(7), /it ends after 7 bytes/],
  "a header of no length": [new Uint8Array(8), /its header is not JSON/],
  "a header longer than the file": [
    withHeader("{}", new Uint8Array(), 3n),
    /its header declares 3 bytes, but the file has 10; it is truncated/,
  ],
  "a header longer than the format allows": [
    withHeader("{}", new Uint8Array(), 100_000_001n),
    /its header declares 100000001 bytes/,
  ],
  "a header of 2^64 − 1 bytes": [
    withHeader("{}", new Uint8Array(), 2n ** 64n - 1n),
    /its header declares/,
  ],
  "a truncated header": [
    withHeader('{"a":', new Uint8Array()),
    /its header is not JSON/,
  ],
  "a header that is not UTF-8": [
    withHeader("{}", new Uint8Array([0xff, 0xfe]), 4n),
    /its header is not JSON/,
  ],
  "a header that is a list": [fileOf([]), /its header is not a JSON object/],
  "a header that is null": [fileOf(null), /its header is not a JSON object/],
  "an entry that is a number": [
    fileOf({ a: 1 }),
    /tensor "a": its entry is not an object/,
  ],
  "an unknown dtype": [
    fileOf({ a: entry("Q4", [2], [0, 8]) }),
    /tensor "a": unknown dtype "Q4"/,
  ],
  "a dtype that is no text": [
    fileOf({ a: entry(["F32"], [2], [0, 8]) }),
    /tensor "a": unknown dtype/,
  ],
  "no dtype": [
    fileOf({ a: { shape: [2], "data_offsets": [0, 8] } }),
    /tensor "a": unknown dtype undefined/,
  ],
  "a negative side": [
    fileOf({ a: entry("F32", [-2], [0, 8]) }),
    /tensor "a": its shape is not a list of whole numbers/,
  ],
  "a side that is no whole number": [
    fileOf({ a: entry("F32", [2.5], [0, 8]) }),
    /its shape is not a list of whole numbers/,
  ],
  "a side beyond exact numbers": [
    fileOf({ a: entry("F32", [2 ** 53], [0, 8]) }),
    /its shape is not a list of whole numbers/,
  ],
  "sides whose product is beyond all numbers": [
    fileOf({ a: entry("F32", [...Array(40).fill(2 ** 52), 0], [0, 8]) }),
    /tensor "a": /,
  ],
  "a shape that is no list": [
    fileOf({ a: entry("F32", 2, [0, 8]) }),
    /its shape is not a list of whole numbers/,
  ],
  "three offsets": [
    fileOf({ a: entry("F32", [2], [0, 4, 8]) }),
    /its data_offsets are not two offsets/,
  ],
  "negative offsets": [
    fileOf({ a: entry("F32", [2], [-8, 0]) }),
    /its data_offsets are not two offsets/,
  ],
  "offsets that run backwards": [
    fileOf({ a: entry("F32", [2], [8, 0]) }),
    /tensor "a": its bytes 8…0 lie beyond/,
  ],
  "offsets beyond the file": [
    fileOf({ a: entry("F32", [3], [0, 12]) }),
    /tensor "a": its bytes 0…12 lie beyond the file's 8 bytes of data/,
  ],
  "a truncated file": [
    sound.subarray(0, -1),
    /tensor "a": its bytes 0…8 lie beyond the file's 7 bytes of data; the file is truncated/,
  ],
  "fewer bytes than shape and dtype take": [
    fileOf({ a: entry("F32", [2], [0, 4]) }),
    /tensor "a": F32 \[2\] takes 8 bytes, data_offsets hold 4/,
  ],
  "more bytes than shape and dtype take": [
    fileOf({ a: entry("BF16", [2], [0, 8]) }),
    /tensor "a": BF16 \[2\] takes 4 bytes, data_offsets hold 8/,
  ],
  "tensors that overlap": [
    fileOf({ a: entry("F32", [1], [0, 4]), b: entry("F32", [1], [2, 6]) }),
    /tensors "a" and "b" overlap/,
  ],
  "tensors that share their bytes": [
    fileOf({ b: entry("U8", [8], [0, 8]), a: entry("F32", [1], [4, 8]) }),
    /tensors "b" and "a" overlap/,
  ],
};

for (const [what, [bytes, message]] of Object.entries(unsafe)) {
  Deno.test(`readSafetensorsHeader() refuses ${what}`, async () => {
    await assertRefused(bytes, message);
  });
}

Deno.test("readSafetensorsHeader() opens or refuses any damaged file, and never points outside of it", async () => {
  using folder = temporaryFolder();
  const damage = fc.tuple(fc.nat(), fc.nat(255));
  const cut = fc.nat();
  await fc.assert(
    fc.asyncProperty(
      anyTensors,
      fc.array(damage, { maxLength: 4 }),
      fc.option(cut, { nil: undefined }),
      async (tensors, damages, cut) => {
        let bytes = safetensorsBytes(tensors);
        for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
        if (cut !== undefined) bytes = bytes.slice(0, cut % bytes.length);
        const path = folder.write("x.safetensors", bytes);
        try {
          const header = await readSafetensorsHeader(path);
          for (const { offset, length } of header.tensors.values()) {
            ok(offset >= 8 && offset + length <= bytes.length);
          }
        } catch (error) {
          ok(error instanceof CheckpointError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("readSafetensorsHeader() refuses a missing file, and any other object", async () => {
  using folder = temporaryFolder();
  await rejects(
    readSafetensorsHeader(`${folder.path}/none.safetensors`),
    /CheckpointError: .*none\.safetensors: the file does not exist/,
  );
  await rejects(
    readSafetensorsHeader(folder.path),
    /CheckpointError: .*: it is not a file/,
  );
  await rejects(
    readSafetensorsHeader(`${folder.path}/a\0b`),
    /CheckpointError: .*: it cannot be read/,
  );
});

/** Returns a file whose header is `text`, with a declared length of its own. */
function headed(
  folder: ReturnType<typeof temporaryFolder>,
  text: string,
  claimed: bigint = BigInt(text.length),
  data = 0,
): string {
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, claimed, true);
  bytes.set(new TextEncoder().encode(text), 8);
  return folder.write("x.safetensors", bytes);
}

Deno.test("readSafetensorsHeader() reads no header longer than its limit or its file", async () => {
  using folder = temporaryFolder();
  for (
    const claimed of [9n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]
  ) {
    await rejects(
      readSafetensorsHeader(headed(folder, "{}", claimed)),
      /its header declares \d+ bytes, but the file has 10/,
    );
  }
  const long = headed(folder, "{}", 2n ** 26n);
  await Deno.truncate(long, 2 ** 27);
  await rejects(readSafetensorsHeader(long), /its header has 67108864 bytes/);
});

Deno.test("readSafetensorsHeader() accepts or refuses a header of any shape", async () => {
  using folder = temporaryFolder();
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const entry = '{"dtype":"U8","shape":[],"data_offsets":[0,0]}';
  const many = Array.from({ length: 100_001 }, (_, i) => `"${i}":${entry}`);
  const texts: readonly (readonly [string, RegExp])[] = [
    [`{"a":{"dtype":${deep}}}`, /unknown dtype/],
    [`{"a":{"dtype":"U8","shape":${deep},"data_offsets":[0,1]}}`, /shape/],
    [`{"a":{"dtype":"U8","shape":[1],"data_offsets":${deep}}}`, /data_offsets/],
    [`{"${"a".repeat(5_000)}":${entry}}`, /the name of a tensor/],
    [`{"\\u001b[2J":${entry}}`, /the name of a tensor/],
    [
      `{"a":{"dtype":"U8","shape":[${
        Array(99).fill(1)
      }],"data_offsets":[0,1]}}`,
      /it has 99 dimensions, more than the limit of 16/,
    ],
    [`{${many}}`, /it has 100001 tensors, more than the limit of 100000/],
  ];
  for (const [text, message] of texts) {
    await rejects(
      readSafetensorsHeader(headed(folder, text, undefined, 1)),
      (error) => {
        ok(error instanceof CheckpointError, String(error));
        match(error.message, message);
        ok(error.message.length < 2_000 && !/\p{Cc}/u.test(error.message));
        return true;
      },
    );
  }
  const noted = headed(folder, `{"__metadata__":{"a":${deep},"b":"c"}}`);
  deepStrictEqual((await readSafetensorsHeader(noted)).metadata, { b: "c" });
});
