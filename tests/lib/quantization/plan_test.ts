import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { planQuantization } from "../../../lib/quantization/plan.ts";
import { RECIPES } from "../../../lib/quantization/recipe.ts";
import { readSources } from "../../../lib/quantization/source_files.ts";
import {
  headerBytes,
  indexOf,
} from "../../../lib/quantization/target_files.ts";
import { LANGUAGE_FOLDERS, tinyFolder } from "../../support/tiny.ts";

const small = { chunkBytes: 5000, fileBytes: 100_000 };

for (const name of LANGUAGE_FOLDERS) {
  Deno.test(`planQuantization() of ${name} reads every byte of every tensor once, in order`, async () => {
    const sources = await readSources(tinyFolder(name));
    const { chunks } = planQuantization(sources, RECIPES.int4, small);
    for (const [file, { tensors }] of sources.entries()) {
      const ordered = [...tensors].filter(([, { length }]) => length > 0)
        .sort(([, a], [, b]) => a.offset - b.offset);
      let at = 0;
      const own = chunks.filter((chunk) => chunk.file === file);
      for (const [tensor, { offset, length }] of ordered) {
        for (let done = 0; done < length; at++) {
          strictEqual(own[at]!.tensor, tensor);
          strictEqual(own[at]!.offset, offset + done);
          done += own[at]!.length;
        }
      }
      strictEqual(at, own.length);
    }
  });

  Deno.test(`planQuantization() of ${name} fills files without gaps, within the size limit`, async () => {
    const sources = await readSources(tinyFolder(name));
    const { files } = planQuantization(sources, RECIPES.int8, small);
    ok(files.length > 1);
    for (const { tensors, dataBytes } of files) {
      let end = 0;
      for (const { offset, length } of tensors) {
        strictEqual(offset, end);
        end += length;
      }
      strictEqual(end, dataBytes);
      ok(dataBytes <= small.fileBytes || tensors.length <= 3);
    }
  });
}

Deno.test("headerBytes() ends at a page, for any hashes", async () => {
  const sources = await readSources(tinyFolder("emu3-tiny"));
  const { files } = planQuantization(sources, RECIPES.int8, {
    chunkBytes: 1e6,
    fileBytes: 1e9,
  });
  strictEqual(files.length, 1);
  const bytes = headerBytes(files[0]!, { hash: "0".repeat(64) });
  strictEqual(bytes.length % 4096, 0);
  strictEqual(
    headerBytes(files[0]!, { hash: "f".repeat(64) }).length,
    bytes.length,
  );
  strictEqual(indexOf(files), undefined);
});

Deno.test("indexOf() maps each tensor to its file", () => {
  const tensor = { name: "a", dtype: "U8", shape: [3], length: 3, offset: 0 };
  const files = ["one", "two"].map((name) => ({
    name: `${name}.safetensors`,
    dataBytes: 3,
    tensors: [{ ...tensor, name }],
  }));
  deepStrictEqual(indexOf(files), {
    metadata: { "total_size": 6 },
    "weight_map": { one: "one.safetensors", two: "two.safetensors" },
  });
});
