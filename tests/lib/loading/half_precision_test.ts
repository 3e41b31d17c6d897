import { ok, strictEqual } from "node:assert/strict";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../../lib/vision/vision_tokenizer.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import { goldenPath } from "../../support/golden.ts";
import { logitsOf } from "../../support/logits.ts";
import { goldenImage } from "../../support/pictures.ts";
import { float32, int32, readSafetensors } from "../../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { maxDifference } from "../../support/tiny.ts";
import {
  type HalfDtype,
  halved,
  safetensorsBytes,
  widened,
} from "../../support/write_safetensors.ts";

const TRANSFORMERS = goldenPath("checkpoints/emu3-tiny-hf");

/** The tolerated effect of rounded weights on the tiny checkpoint. */
const HALF: readonly {
  readonly dtype: HalfDtype;
  readonly stored: Dtype;
  /** Greatest difference of a logit; their standard deviation is 2.6. */
  readonly logits: number;
  /** Mean difference of a decoded pixel, of 0…255. */
  readonly levels: number;
  /** Share of unchanged codes. */
  readonly codes: number;
}[] = [
  { dtype: "F16", stored: "float16", logits: 0.05, levels: 0.6, codes: 0.95 },
  { dtype: "BF16", stored: "bfloat16", logits: 0.35, levels: 6, codes: 0.85 },
];

/** The tolerance of fp32 against fp32: the same numbers in other kernels. */
const SAME_WEIGHTS = 1e-5;

/**
 * Returns the transformers folder in half floats, or in fp32 with the values
 * that half floats keep.
 */
function roundedFolder(
  dtype: HalfDtype,
  kept: "half" | "wide",
): TemporaryFolder {
  const folder = temporaryFolder();
  for (const { name } of Deno.readDirSync(TRANSFORMERS)) {
    if (name !== "model.safetensors") {
      folder.link(name, `${TRANSFORMERS}/${name}`);
    }
  }
  const stored = readSafetensors(`${TRANSFORMERS}/model.safetensors`);
  const tensors = [...stored].map(([name, tensor]) => {
    const half = halved(tensor, dtype);
    return [name, kept === "half" ? half : widened(half)] as const;
  });
  folder.write("model.safetensors", safetensorsBytes(new Map(tensors)));
  return folder;
}

const PICTURE = "im0_gradient_64x64";

/**
 * Returns the codes of a picture, and the picture that golden codes decode to.
 */
async function seenAndShown(path: string) {
  await using runtime = new Runtime({ threads: 1 });
  await using vision = new VisionTokenizer(
    runtime,
    await openVisionCheckpoint(path),
  );
  const seen = await vision.encode(
    await goldenImage(`vq/${PICTURE}.png`),
  );
  const codes = Uint16Array.from(
    int32(readSafetensors(goldenPath("vq.safetensors")), `${PICTURE}.codes`),
  );
  const shown = await vision.decode({ height: 8, width: 8, codes });
  return { codes: seen.codes, pixels: shown.pixels, expected: codes };
}

for (const { dtype, stored, logits, levels, codes } of HALF) {
  Deno.test(`a ${dtype} language model computes with exactly the numbers it stores, close to fp32's`, async () => {
    using half = roundedFolder(dtype, "half");
    using wide = roundedFolder(dtype, "wide");
    strictEqual((await openLanguageCheckpoint(half.path)).storedDtype, stored);
    const golden = readSafetensors(goldenPath("lm.safetensors"));
    const ids = int32(golden, "gen_prefix.input_ids");
    const actual = await logitsOf(half.path, ids);
    const same = maxDifference(actual, await logitsOf(wide.path, ids));
    ok(same < SAME_WEIGHTS, `${same} from the same numbers in fp32`);
    const moved = maxDifference(actual, float32(golden, "gen_prefix.logits"));
    ok(moved > SAME_WEIGHTS && moved < logits, `${moved} from fp32`);
  });

  Deno.test(`a ${dtype} vision tokenizer computes in fp32, close to fp32's codes and pixels (trap 2)`, async () => {
    using half = roundedFolder(dtype, "half");
    using wide = roundedFolder(dtype, "wide");
    strictEqual((await openVisionCheckpoint(half.path)).storedDtype, stored);
    const actual = await seenAndShown(half.path);
    const same = await seenAndShown(wide.path);
    // Computing in half floats would change codes: trap 2 of the golden data.
    ok(maxDifference(actual.codes, same.codes) === 0);
    ok(maxDifference(actual.pixels, same.pixels) <= 1);
    const kept = actual.codes.filter((code, i) => code === actual.expected[i]);
    const share = kept.length / actual.codes.length;
    ok(share >= codes, `${share} of the codes stay`);
    const image = await goldenImage(`vq/${PICTURE}.decoded.png`);
    const moved = meanDifference(actual.pixels, image.pixels);
    ok(moved <= levels, `${moved} levels from fp32`);
  });
}

function meanDifference(
  actual: Uint8ClampedArray,
  expected: Uint8ClampedArray,
): number {
  const sum = actual.reduce(
    (sum, value, i) => sum + Math.abs(value - expected[i]!),
    0,
  );
  return sum / expected.length;
}
