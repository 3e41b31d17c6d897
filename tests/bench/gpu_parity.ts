/**
 * The parity of a device with the reference on the miniature checkpoints:
 * logits, greedy pictures, codes of pictures.
 *
 * @module
 */

import { strategyOf } from "../../lib/drawing/strategy.ts";
import { draw } from "../../lib/emu3.ts";
import { openDecoder } from "../../lib/decoder/open_decoder.ts";
import { openLanguageModel } from "../../lib/language_model.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../models/config/generation_config.ts";
import { goldenJson } from "../support/golden.ts";
import { float32, int32, readSafetensors } from "../support/safetensors.ts";
import { GOLDEN, maxDifference, tinyFolder } from "../support/tiny.ts";
import { framesOf, golden as vision, images } from "../support/vq_golden.ts";

/** The results of the comparison. */
export interface Parity {
  /** Largest difference of a logit. */
  readonly logits: number;
  /** Fraction of greedy pictures' codes before the first difference. */
  readonly agreed: string;
  /** Fraction of encoded pictures' codes that match. */
  readonly codes: string;
}

interface DrawnCase {
  readonly prompt: string;
  readonly guidance: number;
  readonly negative?: string | null;
  readonly H: number;
  readonly W: number;
  readonly codes: number[][];
}

const language = readSafetensors(new URL("lm.safetensors", GOLDEN));
const { cases } = goldenJson<{ cases: DrawnCase[] }>("generate.json");

/** Compares the results of `runtime` with PyTorch's in fp32. */
export async function compareWithGolden(runtime: Runtime): Promise<Parity> {
  return {
    logits: await compareLogits(runtime),
    agreed: await comparePictures(runtime),
    codes: await compareCodes(runtime),
  };
}

async function compareLogits(runtime: Runtime): Promise<number> {
  const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  await using decoder = await openDecoder(runtime, checkpoint, vocabulary, {
    slots: 2,
    contextLength: 128,
    chunkLength: 128,
    heads: ["vocabulary"],
    cacheDtype: runtime.provider.computeDtype,
  });
  const ids = int32(language, "chat.input_ids");
  const hidden = await decoder.prefill(0, ids, 0);
  const width = hidden.length / ids.length;
  const states = Array.from(
    ids,
    (_, i) => hidden.subarray(i * width, (i + 1) * width),
  );
  const logits = await decoder.logits("vocabulary", states);
  const all = logits.flatMap((row) => [...row]);
  return maxDifference(all, float32(language, "chat.logits"));
}

async function comparePictures(runtime: Runtime): Promise<string> {
  const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  await using model = await openLanguageModel(runtime, checkpoint, {
    heads: ["codes"],
    slots: 4,
    cacheBytes: 2 ** 26,
    chunkLength: 64,
    queueLimit: 64,
    now: () => performance.now(),
  });
  let agreed = 0;
  let total = 0;
  for (const drawn of cases) {
    const events = draw(model, {
      prompt: drawn.prompt,
      negativePrompt: drawn.negative ?? PUBLISHED_NEGATIVE_PROMPT,
      guidanceScale: drawn.guidance,
      size: { height: drawn.H, width: drawn.W },
      prefix: undefined,
      strategy: strategyOf("autoregressive"),
      sampling: { temperature: 0, topK: 0, topP: 1 },
      seed: 0,
      count: 1,
      logprobs: 0,
    }, new AbortController().signal);
    const expected = drawn.codes.flat();
    for await (const event of events) {
      if (event.type !== "grid") continue;
      const { codes } = event.grid;
      const first = expected.findIndex((code, i) => code !== codes[i]);
      agreed += first === -1 ? expected.length : first;
      total += expected.length;
    }
  }
  return `${agreed} of ${total}`;
}

async function compareCodes(runtime: Runtime): Promise<string> {
  const folder = tinyFolder("emu3-tiny-visiontokenizer");
  await using tokenizer = new VisionTokenizer(
    runtime,
    await openVisionCheckpoint(folder),
  );
  let equal = 0;
  let total = 0;
  for (const { name, resized_hw: size } of images) {
    const [picture] = framesOf(name, size);
    const { codes } = await tokenizer.encode(picture!);
    const expected = int32(vision, `${name}.codes`);
    equal += expected.filter((code, i) => code === codes[i]).length;
    total += expected.length;
  }
  return `${equal} of ${total}`;
}
