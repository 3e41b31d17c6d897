/**
 * The tests of faults that `models verify` finds without a hash, or without a
 * file.
 */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { verify } from "../../../deploy/models/verify.ts";
import { LFS_POINTER } from "../../support/lfs_pointer.ts";
import { NEVER } from "../../support/publish_tree.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";
import { captureReport } from "../../support/captured_report.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A change to a file's content; undefined removes the file. */
type Change = (bytes: Bytes) => Bytes | string | undefined;

const text = (bytes: Bytes) => new TextDecoder().decode(bytes);
const cut = (count: number): Change => (bytes) => bytes.slice(0, -count);
const gone: Change = () => undefined;
const pointer: Change = () => LFS_POINTER;
const halfOfLines: Change = (bytes) => {
  const lines = text(bytes).split("\n");
  return `${lines.slice(0, lines.length / 2).join("\n")}\n`;
};

/**
 * Verifies a snapshot in a cache without links; returns the reported faults.
 */
async function verified(
  source: string | undefined,
  changes: Readonly<Record<string, Change>>,
  markers: Readonly<Record<string, string>> = {},
) {
  using cache = temporaryFolder();
  const snapshot = "models--a--b/snapshots/c";
  const files = new Map<string, Bytes>();
  if (source !== undefined) {
    for await (const { name } of Deno.readDir(tinyFolder(source))) {
      files.set(name, await Deno.readFile(join(tinyFolder(source), name)));
    }
  }
  for (const name of new Set([...files.keys(), ...Object.keys(changes)])) {
    const bytes = files.get(name) ?? new Uint8Array();
    const change = changes[name] ?? ((bytes: Bytes) => bytes);
    const content = change(bytes);
    if (content !== undefined) cache.write(`${snapshot}/${name}`, content);
  }
  for (const [name, content] of Object.entries(markers)) {
    cache.write(`models--a--b/${name}`, content);
  }
  const { report, lines } = captureReport();
  const suspects = [{ name: "a/b", folder: join(cache.path, snapshot) }];
  const options = { threads: 1, signal: NEVER, unknownPasses: true };
  const good = await verify(suspects, report, options);
  const bad = lines.filter(({ event }) => event === "bad");
  strictEqual(good, bad.length === 0);
  return bad.map(({ path, reason, remedy }) => ({
    path,
    reason: String(reason),
    remedy: String(remedy),
  }));
}

for (
  const name of ["emu3-tiny", "emu3-tiny-hf", "emu3-tiny-visiontokenizer"]
) {
  Deno.test(`verify() accepts a complete ${name} without links`, async () => {
    deepStrictEqual(await verified(name, {}), []);
  });
}

const SHARD = "model-00002-of-00002.safetensors";
const INDEX = "model.safetensors.index.json";

const damaged: [source: string, file: string, Change, reason: RegExp][] = [
  ["emu3-tiny", SHARD, gone, /^it is missing, but listed in .*index\.json$/],
  ["emu3-tiny", SHARD, cut(1), /the file is truncated/],
  ["emu3-tiny", SHARD, cut(1000), /the file is truncated/],
  ["emu3-tiny", SHARD, (bytes) => bytes.slice(0, 5), /it ends after 5 bytes/],
  [
    "emu3-tiny",
    SHARD,
    (bytes) => new Uint8Array([...bytes, 0, 0]),
    /it has 2 bytes after its last tensor/,
  ],
  ["emu3-tiny", SHARD, pointer, /Git LFS pointer.*git lfs pull/],
  ["emu3-tiny", INDEX, gone, /the file does not exist, and 2 of 2 shards need/],
  ["emu3-tiny", INDEX, cut(10), /it is not JSON, or is truncated/],
  ["emu3-tiny", INDEX, pointer, /Git LFS pointer/],
  ["emu3-tiny", "config.json", gone, /^it is missing$/],
  ["emu3-tiny", "config.json", cut(3), /it is not JSON, or is truncated/],
  ["emu3-tiny", "emu3.tiktoken", gone, /the file does not exist/],
  ["emu3-tiny", "emu3.tiktoken", halfOfLines, /./],
  ["emu3-tiny", "emu3.tiktoken", pointer, /Git LFS pointer/],
  ["emu3-tiny", "emu3_vision_tokens.txt", gone, /the file does not exist/],
  ["emu3-tiny", "emu3_vision_tokens.txt", halfOfLines, /truncated/],
  ["emu3-tiny", "emu3_vision_tokens.txt", cut(3), /last line is truncated/],
  [
    "emu3-tiny",
    "generation_config.json",
    () => "",
    /not JSON, or is truncated/,
  ],
  ["emu3-tiny-hf", "model.safetensors", gone, /^it is missing$/],
  ["emu3-tiny-hf", "model.safetensors", cut(4), /the file is truncated/],
  ["emu3-tiny-hf", "tokenizer.json", gone, /the file does not exist/],
  ["emu3-tiny-hf", "tokenizer.json", cut(20), /not JSON, or is truncated/],
  [
    "emu3-tiny-hf",
    "preprocessor_config.json",
    () => '{"resample": 2}',
    /field "resample": filter 2 is not/,
  ],
  [
    "emu3-tiny-visiontokenizer",
    "preprocessor_config.json",
    pointer,
    /Git LFS pointer/,
  ],
  ["emu3-tiny-visiontokenizer", "model.safetensors", cut(1), /truncated/],
];

for (const [i, [source, file, change, reason]] of damaged.entries()) {
  Deno.test(`verify() names a ${file} that is missing, truncated or replaced (${source}, ${i})`, async () => {
    const bad = await verified(source, { [file]: change });
    strictEqual(bad.length, 1, JSON.stringify(bad));
    // A rank file that is too short shows in the ids of other files.
    if (change !== halfOfLines) strictEqual(bad[0]!.path, file);
    match(bad[0]!.reason, reason);
    match(bad[0]!.remedy, /pull or copy the model again$/);
  });
}

Deno.test("verify() finds a codebook whose size differs from that of the tokens", async () => {
  const change: Change = (bytes) => {
    const config = JSON.parse(text(bytes));
    config["vq_config"]["codebook_size"] = 256;
    return JSON.stringify(config);
  };
  const [bad] = await verified("emu3-tiny-hf", { "config.json": change });
  strictEqual(bad!.path, "config.json");
  match(
    bad!.reason,
    /codebook has 256 codes, the tokenizer has tokens for 512/,
  );
});

const OTHER: Change = () => '{"model_type": "llama"}';

const others: [what: string, files: Record<string, Change>, bad: string[]][] = [
  ["a configuration alone", {}, []],
  ["pickled weights", { "pytorch_model.bin": () => "?" }, []],
  [
    "weights of another name",
    { "adapter_model.safetensors": () => safetensorsBytes(new Map()) },
    [],
  ],
  ["JSON as Python writes it", { "a.json": () => '{"a": -Infinity}' }, []],
  ["JSON that is cut off", { "a.json": () => '{"a": [1,' }, ["a.json"]],
  [
    "a missing shard",
    { [INDEX]: () => '{"weight_map": {"a": "x.safetensors"}}' },
    ["x.safetensors"],
  ],
  ["shards without an index", { [SHARD]: () => "?" }, [SHARD, INDEX]],
  ["a Git LFS pointer", { "spiece.model": pointer }, ["spiece.model"]],
];

for (const [what, files, paths] of others) {
  Deno.test(`verify() checks another model's files only against their own contents: ${what}`, async () => {
    const bad = await verified(undefined, { "config.json": OTHER, ...files });
    deepStrictEqual(bad.map(({ path }) => path), paths);
  });
}

Deno.test("verify() compares files without links with the records of their download", async () => {
  const sha256 =
    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
  const noted = (path: string, more: Record<string, unknown>) => ({
    path,
    blob: "b",
    size: 3,
    mtimeMs: 0,
    ...more,
  });
  const markers = {
    ".emu3/c.json": JSON.stringify([
      noted("a.txt", { sha256 }),
      noted("b.txt", {}),
      noted("lost.txt", { sha256 }),
    ]),
  };
  const found = async (a: string, b: string) =>
    (await verified(undefined, {
      "config.json": OTHER,
      "a.txt": () => a,
      "b.txt": () => b,
    }, markers)).map(({ path, reason }) => `${path}: ${reason.slice(0, 22)}`);
  const lost = "lost.txt: it cannot be read: ";
  deepStrictEqual((await found("foo", "foo")).length, 1);
  deepStrictEqual(
    (await found("foo", "foo")).every((line) => line.startsWith(lost.trim())),
    true,
  );
  deepStrictEqual((await found("fo", "fo")).slice(0, 3).sort(), [
    "a.txt: it has 2 bytes instead",
    "b.txt: it has 2 bytes instead",
    (await found("foo", "foo"))[0],
  ]);
  match((await found("bar", "foo"))[0]!, /^a\.txt: its hash is/);
});
