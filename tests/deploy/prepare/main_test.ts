import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openPrepared } from "../../../deploy/prepare/open_prepared.ts";
import { encodePng } from "../../../lib/image/encode_png.ts";
import { runPrepare, startPrepare } from "../../support/prepare_process.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const TINY = ["--model", tinyFolder("emu3-tiny"), "--threads", "1"];

function png(level: number): Uint8Array {
  const pixels = new Uint8ClampedArray(3 * 40 * 56).fill(level);
  return encodePng({ height: 40, width: 56, pixels }, {});
}

Deno.test("prepare-data makes a set that opens, and goes on with what was added", async () => {
  using folder = temporaryFolder();
  folder.write("photos/a.png", png(1));
  folder.write("photos/a.txt", "one\n");
  folder.write("photos/bad.png", "no picture");
  const words = ["photos", "--out", "data", ...TINY];
  const first = await runPrepare(folder.path, words);
  strictEqual(first.code, 0, first.err);
  deepStrictEqual(first.out.trim().split("\n"), [
    "data holds 1 records of photos (folder)",
    "1 cannot be used, see errors.jsonl",
  ]);
  folder.write("photos/b.png", png(2));
  const second = await runPrepare(folder.path, words);
  strictEqual(second.code, 0, second.err);
  match(second.out, /^data holds 2 records/);
  await using set = await openPrepared(join(folder.path, "data"));
  const [a, b] = [await set.read(0), await set.read(1)];
  deepStrictEqual([a.key, a.text, b.key, b.text], ["a", "one", "b", ""]);
});

Deno.test("prepare-data writes parts that open as one set", async () => {
  using folder = temporaryFolder();
  for (const name of "abcdef") folder.write(`photos/${name}.png`, png(1));
  for (const shard of ["0/2", "1/2"]) {
    const part = ["--shard", shard, "--to", "jsonl", "--shard-size", "2"];
    const words = ["photos", "--out", "data", ...TINY, ...part];
    const { code, err } = await runPrepare(folder.path, words);
    strictEqual(code, 0, err);
  }
  await using set = await openPrepared(join(folder.path, "data"));
  const keys = [];
  for (let i = 0; i < set.length; i++) keys.push((await set.read(i)).key);
  deepStrictEqual(keys.sort(), [..."abcdef"]);
});

Deno.test("prepare-data ends at a signal, and goes on when it is run again", async () => {
  using folder = temporaryFolder();
  for (let i = 0; i < 60; i++) folder.write(`photos/${i}.png`, png(i));
  const words = ["photos", "--out", "data", ...TINY];
  const process = startPrepare(folder.path, words);
  const started = () =>
    Deno.stat(join(folder.path, "data/journal.jsonl"))
      .then(({ size }) => size > 0, () => false);
  while (!await started()) await new Promise((resolve) => setTimeout(resolve));
  process.kill("SIGINT");
  const { code, stderr } = await process.output();
  strictEqual(code, 130);
  match(
    new TextDecoder().decode(stderr),
    /Interrupted; run it again to resume/,
  );
  const { out } = await runPrepare(folder.path, words);
  match(out, /^data holds 60 records/);
});

Deno.test("prepare-data ends with a code and a reason", async () => {
  using folder = temporaryFolder();
  folder.write("empty/x.md", "");
  folder.write("photos/bad.png", "no picture");
  folder.write("data.csv", "a,b\n1,2\n");
  const cases: [readonly string[], number, RegExp][] = [
    [[], 2, /the input is missing\n\nUsage:/],
    [
      ["none", "-o", "x"],
      1,
      /^Cannot prepare data: there is no none; name a folder or file of records\n$/,
    ],
    [["empty", "-o", "x1", ...TINY], 1, /empty has no pictures/],
    [["photos", "-o", "photos/x"], 1, /photos\/x lies within the input photos/],
    [["photos", "-o", "x2", ...TINY], 1, /none of 1 records can be used/],
    [["data.csv", "-o", "x3", ...TINY], 1, /no column of data\.csv looks like/],
    [["photos", "-o", "x4", "--model", "no/model"], 1, /no\/model/],
    [
      ["photos", "-o", "/dev/null/x", ...TINY],
      1,
      /^Cannot write \/dev\/null\/x: .*name another --out/,
    ],
  ];
  for (const [words, expected, message] of cases) {
    const { code, err } = await runPrepare(folder.path, words, {
      HF_HUB_OFFLINE: "1",
      HF_ENDPOINT: "http://127.0.0.1:9",
    });
    strictEqual(code, expected, err);
    match(err, message);
  }
});
