import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import {
  type CopyOptions,
  quantizedCopy,
} from "../../../lib/quantization/quantized_copy.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const tiny = tinyFolder("emu3-tiny");

/** Returns options, and the list of their warnings. */
function noting(
  cacheFolder: string | undefined,
): { options: CopyOptions; warnings: string[] } {
  const warnings: string[] = [];
  const options: CopyOptions = {
    precision: "int8",
    threads: 1,
    program: "test",
    cacheFolder,
    warn: (line) => warnings.push(line),
  };
  return { options, warnings };
}

Deno.test("quantizedCopy() makes a copy of the same name once, and reuses it", async () => {
  using folder = temporaryFolder();
  const { options, warnings } = noting(join(folder.path, "cache"));
  const copy = await quantizedCopy(tiny, options);
  const checkpoint = await openLanguageCheckpoint(copy);
  strictEqual(checkpoint.name, "emu3-tiny");
  strictEqual(checkpoint.codeBits, 8);
  strictEqual(await quantizedCopy(tiny, options), copy);
  strictEqual(warnings.length, 1);
  match(warnings[0]!, /deno task quantize/);
  match(warnings[0]!, /about \d+ s/);
});

Deno.test("quantizedCopy() makes one copy for concurrent calls", async () => {
  using folder = temporaryFolder();
  const { options } = noting(folder.path);
  const copies = await Promise.all([
    quantizedCopy(tiny, options),
    quantizedCopy(tiny, options),
    quantizedCopy(tiny, options),
  ]);
  strictEqual(new Set(copies).size, 1);
  strictEqual((await openLanguageCheckpoint(copies[0]!)).codeBits, 8);
});

Deno.test("quantizedCopy() keeps copies of different precisions and sources apart", async () => {
  using folder = temporaryFolder();
  const { options } = noting(folder.path);
  const copies = [
    await quantizedCopy(tiny, options),
    await quantizedCopy(tiny, { ...options, precision: "int4" }),
    await quantizedCopy(tinyFolder("emu3-tiny-hf"), options),
  ];
  strictEqual(new Set(copies).size, 3);
});

Deno.test("quantizedCopy() works without a folder that it may write to", async () => {
  using folder = temporaryFolder();
  const file = folder.write("file", "not a folder");
  for (const cacheFolder of [undefined, join(file, "cache")]) {
    const { options } = noting(cacheFolder);
    const copy = await quantizedCopy(tiny, options);
    strictEqual((await openLanguageCheckpoint(copy)).codeBits, 8);
    deepStrictEqual(copy.startsWith(folder.path), false);
    await Deno.remove(join(copy, ".."), { recursive: true });
  }
});

for (
  const name of [
    "processor_config.json",
    "preprocessor_config.json",
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
  ]
) {
  Deno.test(`quantizedCopy() makes another copy once ${name} has other content`, async () => {
    const original = tinyFolder("emu3-tiny-hf");
    const text = await Deno.readTextFile(join(original, name));
    using source = changedFolder(original, { [name]: text });
    using cache = temporaryFolder();
    const { options, warnings } = noting(cache.path);
    const before = await quantizedCopy(source.path, options);
    // Written again, the fingerprint is the same.
    source.write(name, text);
    strictEqual(await quantizedCopy(source.path, options), before);
    source.write(name, `${text} `);
    const after = await quantizedCopy(source.path, options);
    strictEqual(after === before, false);
    strictEqual(warnings.length, 2);
    if (name === "config.json") return;
    strictEqual(await Deno.readTextFile(join(after, name)), `${text} `);
  });
}
