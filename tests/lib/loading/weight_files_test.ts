import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { join } from "node:path";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  originalKeys,
  transformersLanguageKeys,
} from "../../../lib/loading/key_layouts.ts";
import {
  weightFileNames,
  WeightFiles,
} from "../../../lib/loading/weight_files.ts";
import type { Tensor } from "../../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";

const matrix: Tensor = {
  dtype: "F32",
  shape: [2, 3],
  data: Float32Array.of(1, 2, 3, 4, 5, 6),
};
const vector: Tensor = {
  dtype: "F32",
  shape: [2],
  data: Float32Array.of(7, 8),
};

function fileOf(tensors: Record<string, Tensor>): Uint8Array<ArrayBuffer> {
  return safetensorsBytes(new Map(Object.entries(tensors)));
}

function indexOf(map: unknown): string {
  return JSON.stringify({ metadata: {}, "weight_map": map });
}

/** Returns a folder whose two tensors are two shards. */
function shardedFolder(): TemporaryFolder {
  const folder = temporaryFolder();
  folder.write("one.safetensors", fileOf({ a: matrix }));
  folder.write("two.safetensors", fileOf({ b: vector }));
  folder.write(
    "model.safetensors.index.json",
    indexOf({ a: "one.safetensors", b: "two.safetensors" }),
  );
  return folder;
}

/** Returns a check for a `CheckpointError` about `file` with `message`. */
function about(file: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    ok(error instanceof CheckpointError, String(error));
    strictEqual(error.file, file);
    ok(message.test(error.message), error.message);
    return true;
  };
}

Deno.test("WeightFiles finds the tensors of one file, and those of shards, at their offsets", async () => {
  using single = temporaryFolder();
  single.write("model.safetensors", fileOf({ a: matrix, b: vector }));
  using sharded = shardedFolder();
  for (const { path } of [single, sharded]) {
    const files = await WeightFiles.open(path);
    strictEqual(files.byteLength, 32);
    for (
      const [key, { shape, data }] of Object.entries({ a: matrix, b: vector })
    ) {
      const stored = files.weights(originalKeys).find(key, shape);
      const bytes = await Deno.readFile(files.root + stored.location);
      const { buffer } = bytes.slice(
        stored.offset,
        stored.offset + stored.length,
      );
      deepStrictEqual(new Float32Array(buffer), data);
      strictEqual(stored.dtype, "float32");
    }
  }
});

Deno.test("WeightFiles takes the first spelling that exists", async () => {
  using folder = temporaryFolder();
  folder.write(
    "model.safetensors",
    fileOf({ "model.text_model.norm.weight": vector }),
  );
  const files = await WeightFiles.open(folder.path);
  ok(files.has("model.norm.weight", transformersLanguageKeys));
  ok(!files.has("model.norm.weight", originalKeys));
  strictEqual(
    files.dtypeOf("model.norm.weight", transformersLanguageKeys),
    "float32",
  );
});

Deno.test("WeightFiles ignores trailing dimensions of 1, and no others", async () => {
  using folder = temporaryFolder();
  folder.write("model.safetensors", fileOf({ a: matrix, b: vector }));
  const weights = (await WeightFiles.open(folder.path)).weights(originalKeys);
  deepStrictEqual(weights.find("a", [2, 3, 1, 1]).shape, [2, 3, 1, 1]);
  const file = `${folder.path}/model.safetensors`;
  for (const shape of [[3, 2], [1, 2, 3], [6], [2, 3, 2], []]) {
    throws(
      () => weights.find("a", shape),
      about(
        file,
        /tensor "a" has shape \[2,3\], but the configuration requires \[[\d,]*\]$/,
      ),
    );
  }
});

Deno.test("WeightFiles names file and key when a tensor is missing or of another type", async () => {
  using folder = temporaryFolder();
  const whole = { dtype: "I64", shape: [1], data: BigInt64Array.of(1n) };
  folder.write("model.safetensors", fileOf({ count: whole }));
  const files = await WeightFiles.open(folder.path);
  throws(
    () => files.weights(transformersLanguageKeys).find("lm_head.weight", [1]),
    about(folder.path, /tensor "text_model\.lm_head\.weight" is missing/),
  );
  const file = `${folder.path}/model.safetensors`;
  throws(
    () => files.weights(originalKeys).find("count", [1]),
    about(
      file,
      /tensor "count" has dtype I64, but weights must be F32, F16, BF16/,
    ),
  );
  throws(() => files.dtypeOf("count", originalKeys), CheckpointError);
});

Deno.test("WeightFiles refuses a folder without weights", async () => {
  using folder = temporaryFolder();
  await rejects(
    WeightFiles.open(folder.path),
    about(`${folder.path}/model.safetensors`, /the file does not exist/),
  );
});

Deno.test("WeightFiles names the shard that is missing", async () => {
  using folder = shardedFolder();
  await Deno.remove(`${folder.path}/two.safetensors`);
  await rejects(
    WeightFiles.open(folder.path),
    about(`${folder.path}/two.safetensors`, /the file does not exist/),
  );
});

Deno.test("WeightFiles names the shard that lacks a tensor of the index", async () => {
  using folder = shardedFolder();
  folder.write("two.safetensors", fileOf({ c: vector }));
  await rejects(
    WeightFiles.open(folder.path),
    about(
      `${folder.path}/two.safetensors`,
      /tensor "b" is missing, but the index lists it in this file/,
    ),
  );
});

Deno.test("WeightFiles takes a tensor from the shard that the index names, not from another", async () => {
  using folder = shardedFolder();
  const both = fileOf({ a: matrix, b: vector });
  folder.write("one.safetensors", both);
  folder.write("two.safetensors", both);
  const weights = (await WeightFiles.open(folder.path)).weights(originalKeys);
  const shardOf = (key: string, shape: readonly number[]) =>
    weights.find(key, shape).location.split("/").at(-1);
  strictEqual(shardOf("a", [2, 3]), "one.safetensors");
  strictEqual(shardOf("b", [2]), "two.safetensors");
});

const outside: Record<string, string> = {
  "climbs out": "../two.safetensors",
  "climbs out from a folder within": "sub/../../two.safetensors",
  "climbs out as on Windows": "..\\two.safetensors",
  "is absolute": "/etc/passwd",
};

for (const [what, file] of Object.entries(outside)) {
  Deno.test(`WeightFiles refuses an index whose path ${what}`, async () => {
    using folder = shardedFolder();
    const map = indexOf({ a: "one.safetensors", b: file });
    const index = folder.write("model.safetensors.index.json", map);
    await rejects(
      WeightFiles.open(folder.path),
      about(index, /is outside the folder/),
    );
  });
}

const malformed: Record<string, [string, RegExp]> = {
  "is not JSON": ["{", /it is not JSON/],
  "is null": ["null", /it has no "weight_map"/],
  "has no map": ["{}", /it has no "weight_map"/],
  "has a list for a map": [
    indexOf(["one.safetensors"]),
    /it has no "weight_map"/,
  ],
  "names no file": [indexOf({ a: 3 }), /"a" is not a file name/],
};

for (const [what, [text, message]] of Object.entries(malformed)) {
  Deno.test(`WeightFiles refuses an index that ${what}`, async () => {
    using folder = shardedFolder();
    const index = folder.write("model.safetensors.index.json", text);
    await rejects(WeightFiles.open(folder.path), about(index, message));
  });
}

Deno.test("WeightFiles refuses an index that names the folder itself", async () => {
  using folder = shardedFolder();
  folder.write("model.safetensors.index.json", indexOf({ a: "" }));
  await rejects(
    WeightFiles.open(folder.path),
    about(folder.path, /it is not a file/),
  );
});

Deno.test("WeightFiles follows links, as in the snapshots of a Hugging Face cache", async () => {
  using cache = temporaryFolder();
  cache.write("models--org--name/blobs/6b86b2", fileOf({ a: matrix }));
  const snapshot = "models--org--name/snapshots/d4735e";
  cache.link(`${snapshot}/model.safetensors`, "../../blobs/6b86b2");
  const files = await WeightFiles.open(`${cache.path}/${snapshot}`);
  const { location, offset } = files.weights(originalKeys).find("a", [2, 3]);
  const bytes = await Deno.readFile(files.root + location);
  deepStrictEqual(
    new Float32Array(bytes.slice(offset).buffer),
    matrix.data,
  );
});

const unopened: [names: string[], file: string, message: RegExp][] = [
  [
    ["model-00001-of-00007.safetensors", "model-00002-of-00007.safetensors"],
    "model.safetensors.index.json",
    /the file does not exist, and 2 of 7 shards need it/,
  ],
  [
    ["other-00001-of-00001.safetensors"],
    "other.safetensors.index.json",
    /1 of 1 shards/,
  ],
  [
    ["adapter_model.safetensors", "weights.safetensors"],
    "model.safetensors",
    /only adapter_model\.safetensors, weights\.safetensors; rename the weights/,
  ],
  [
    ["pytorch_model.bin", "config.json"],
    "model.safetensors",
    /only pytorch_model\.bin; save the model again as safetensors/,
  ],
  [
    [1, 2, 3, 4, 5].map((part) => `${part}.bin`),
    "model.safetensors",
    /only 1\.bin, 2\.bin, 3\.bin and 2 more/,
  ],
];

for (const [names, file, message] of unopened) {
  Deno.test(`WeightFiles reports the missing file beside ${names.join(", ")}`, async () => {
    using folder = temporaryFolder();
    for (const name of names) folder.write(name, fileOf({ a: matrix }));
    const expected = about(join(folder.path, file), message);
    await rejects(WeightFiles.open(folder.path), expected);
    await rejects(weightFileNames(folder.path), expected);
  });
}

Deno.test("WeightFiles opens a single file beside shards of an older copy", async () => {
  using folder = temporaryFolder();
  folder.write("model.safetensors", fileOf({ a: matrix }));
  folder.write("model-00001-of-00002.safetensors", "?");
  strictEqual((await WeightFiles.open(folder.path)).byteLength, 24);
});
