/**
 * The miniature checkpoints, opened, and their golden data.
 *
 * @module
 */

import { CPU_PROVIDER, type Provider } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import {
  type OpenedLanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import { type AdapterFixture, writeAdapter } from "./adapters.ts";
import type { winogradFor } from "../../models/vision/convolution.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";

/** Folders of the language model, in both layouts. */
export const LANGUAGE_FOLDERS = ["emu3-tiny", "emu3-tiny-hf"] as const;

/** Folders of the vision tokenizer, in both layouts. */
export const VISION_FOLDERS = [
  "emu3-tiny-visiontokenizer",
  "emu3-tiny-hf",
] as const;

/** Folder of golden data. */
export const GOLDEN: URL = new URL("../golden/", import.meta.url);

/** Returns the path of a miniature checkpoint. */
export function tinyFolder(name: string): string {
  return new URL(`checkpoints/${name}`, GOLDEN).pathname;
}

/** A language model and its runtime. */
export interface TinyLanguage extends AsyncDisposable {
  readonly model: OpenedLanguageModel;
}

/** Options of {@linkcode openTinyLanguage}. */
export interface TinyOptions {
  readonly slots?: number;
  readonly chunkLength?: number;
  readonly queueLimit?: number;
  readonly folder?: string;
  /** Adapters by name, written for the model. */
  readonly adapters?: Readonly<Record<string, AdapterFixture>>;
}

/** Opens a miniature language model, or the one in `folder`. */
export async function openTinyLanguage(
  name: string = "emu3-tiny",
  {
    slots = 8,
    chunkLength = 32,
    queueLimit = 64,
    folder = tinyFolder(name),
    adapters = {},
  }: TinyOptions = {},
): Promise<TinyLanguage> {
  const runtime = new Runtime({ threads: 1 });
  const checkpoint = await openLanguageCheckpoint(folder);
  using folders = new DisposableStack();
  const named: NamedAdapter[] = [];
  for (const [name, fixture] of Object.entries(adapters)) {
    const { path } = folders.use(writeAdapter(checkpoint.config, fixture));
    const adapter = await openAdapter(path, checkpoint.config);
    named.push({ name, adapter });
  }
  const model = await openLanguageModel(runtime, checkpoint, {
    adapters: named,
    heads: ["codes", "vocabulary"],
    slots,
    cacheBytes: 2 ** 26,
    chunkLength,
    queueLimit,
    now: () => performance.now(),
  });
  return {
    model,
    [Symbol.asyncDispose]: async () => {
      await model[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** A vision tokenizer and its runtime. */
export interface TinyVision extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly vision: VisionTokenizer;
}

/**
 * Opens a miniature vision tokenizer, by default on the CPU and with the
 * convolutions of its size.
 */
export async function openTinyVision(
  name: string = "emu3-tiny-visiontokenizer",
  provider: Provider = CPU_PROVIDER,
  chooseWinograd?: typeof winogradFor,
): Promise<TinyVision> {
  const runtime = new Runtime({ threads: 1, provider });
  const checkpoint = await openVisionCheckpoint(tinyFolder(name));
  const vision = new VisionTokenizer(runtime, checkpoint, chooseWinograd);
  return {
    runtime,
    vision,
    [Symbol.asyncDispose]: async () => {
      await vision[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** Returns the largest difference of two arrays; fails for NaN. */
export function maxDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} values, expected ${expected.length}`);
  }
  let greatest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= greatest)) greatest = difference;
    if (Number.isNaN(difference)) throw new Error(`no number at ${i}`);
  }
  return greatest;
}
