import { ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { openVisionCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../../lib/vision/vision_tokenizer.ts";
import { goldenPath } from "../../support/golden.ts";
import { logitsOf } from "../../support/logits.ts";
import { goldenImage, maxLevelDifference } from "../../support/pictures.ts";
import { float32, int32, readSafetensors } from "../../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { maxDifference } from "../../support/tiny.ts";

const REVISION = "d4735e3a265e16eee03f59718b9b5d03019c07d8";

/**
 * Writes the checkpoint `name` as `huggingface_hub` stores it; returns its
 * folder.
 *
 * ```text
 * models--org--name/blobs/HASH
 * models--org--name/snapshots/REVISION/FILE -> ../../blobs/HASH
 * ```
 */
function cached(cache: TemporaryFolder, name: string): string {
  const source = goldenPath(`checkpoints/${name}`);
  const repository = `models--org--${basename(name)}`;
  for (const file of Deno.readDirSync(source)) {
    const bytes = Deno.readFileSync(`${source}/${file.name}`);
    const hash = createHash("sha256").update(bytes).digest("hex");
    cache.write(`${repository}/blobs/${hash}`, bytes);
    cache.link(
      `${repository}/snapshots/${REVISION}/${file.name}`,
      `../../blobs/${hash}`,
    );
  }
  return `${cache.path}/${repository}/snapshots/${REVISION}`;
}

for (const name of ["emu3-tiny", "emu3-tiny-hf"]) {
  Deno.test(`${name} opens and computes from a Hugging Face cache of links`, async () => {
    using cache = temporaryFolder();
    const golden = readSafetensors(goldenPath("lm.safetensors"));
    const ids = int32(golden, "text0.input_ids");
    const actual = await logitsOf(cached(cache, name), ids);
    const difference = maxDifference(actual, float32(golden, "text0.logits"));
    ok(difference < 1e-3, `${difference}`); // fp32 logits, other kernels
  });
}

Deno.test("VisionTokenizer decodes from a Hugging Face cache of links", async () => {
  using cache = temporaryFolder();
  const folder = cached(cache, "emu3-tiny-visiontokenizer");
  await using runtime = new Runtime({ threads: 1 });
  await using vision = new VisionTokenizer(
    runtime,
    await openVisionCheckpoint(folder),
  );
  const name = "im0_gradient_64x64";
  const codes = Uint16Array.from(
    int32(readSafetensors(goldenPath("vq.safetensors")), `${name}.codes`),
  );
  const image = await vision.decode({ height: 8, width: 8, codes });
  const expected = await goldenImage(`vq/${name}.decoded.png`);
  ok(maxLevelDifference(image, expected) <= 1);
});
