/**
 * The language model of 207 M parameters, between emu3-mini and the published 8
 * B: complete folders that a server opens, filled with noise.
 *
 * ```text
 * config.json             sizes, and ids of special tokens
 * emu3.tiktoken           2,048 ranks: every byte, then pairs of letters
 * emu3_vision_tokens.txt  img boi eoi and 32,768 codes
 * model.safetensors       in bfloat16, as published
 * ```
 *
 * @module
 */

import { join } from "node:path";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import {
  languageTensors,
  type StoredDtype,
  visionTensors,
  writeRandomWeights,
} from "./random_checkpoint.ts";

/** Count of ranks of its tokenizer; special tokens follow. */
const RANKS = 2048;

/**
 * Count of `<|endoftext|>`, `<|im_start|>`, `<|im_end|>` and the extra ones.
 */
const COMMON_SPECIALS = 3 + 205;

const CODEBOOK = 32_768;

/** Range of its codes in the vocabulary. */
export const MIDDLE_CODES = {
  firstCode: RANKS + COMMON_SPECIALS + 3,
  codebookSize: CODEBOOK,
};

const CONFIG = {
  "hidden_size": 1024,
  "intermediate_size": 2816,
  "num_hidden_layers": 12,
  "num_attention_heads": 16,
  "num_key_value_heads": 4,
  "vocab_size": MIDDLE_CODES.firstCode + CODEBOOK,
  "max_position_embeddings": 9216,
  "rms_norm_eps": 1e-5,
  "rope_theta": 1e6,
  "image_area": 512 * 512,
  "pad_token_id": RANKS,
  "bos_token_id": RANKS + 3 + 203,
  "eos_token_id": RANKS + 3 + 204,
};

/**
 * Sizes of the published 8 B's layers; the vocabulary stays, of which a step
 * reads the codes.
 */
export const PUBLISHED_SIZES = {
  "hidden_size": 4096,
  "intermediate_size": 14_336,
  "num_hidden_layers": 32,
  "num_attention_heads": 32,
  "num_key_value_heads": 8,
} as const satisfies Partial<typeof CONFIG>;

/** Sizes of layers that are fast to create and to run in software. */
export const SMALL_SIZES = {
  "hidden_size": 128,
  "intermediate_size": 256,
  "num_hidden_layers": 2,
  "num_attention_heads": 4,
  "num_key_value_heads": 2,
} as const satisfies Partial<typeof CONFIG>;

/** Sizes of a small vision tokenizer, which is not measured. */
const SMALL_VISION = { ch: 32, "codebook_size": CODEBOOK };

/** Count of pairs that share a second letter. */
const LETTERS = 26;

/**
 * Writes the language model into an existing `folder`.
 *
 * @param sizes Sizes in place of the defaults.
 */
export async function writeMiddle(
  folder: string,
  dtype: StoredDtype,
  sizes: Partial<typeof CONFIG> = {},
): Promise<void> {
  const json = { ...CONFIG, ...sizes };
  const vision = [
    "<|image token|>",
    "<|image start|>",
    "<|image end|>",
    ...Array.from(
      { length: CODEBOOK },
      (_, i) => `<|visual token ${String(i).padStart(6, "0")}|>`,
    ),
  ];
  const files = {
    "config.json": JSON.stringify(json),
    "generation_config.json": "{}",
    "tokenizer_config.json": "{}",
    "emu3.tiktoken": ranks(),
    "emu3_vision_tokens.txt": vision.join("\n"),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  const config = parseLanguageConfig(json);
  await writeRandomWeights(folder, languageTensors(config), dtype);
}

/** Writes a small vision tokenizer with as many codes into `folder`. */
export async function writeSmallVision(folder: string): Promise<void> {
  const path = join(folder, "config.json");
  await Deno.writeTextFile(path, JSON.stringify(SMALL_VISION));
  const config = parseVisionConfig(SMALL_VISION);
  await writeRandomWeights(folder, visionTensors(config), "F32");
}

/** Writes one rank per line: its bytes in base64, and its number. */
function ranks(): string {
  const lines = Array.from({ length: RANKS }, (_, rank) => {
    const pair = rank - 256;
    const bytes = pair < 0
      ? Uint8Array.of(rank)
      : Uint8Array.of(97 + pair % LETTERS, 32 + Math.floor(pair / LETTERS));
    return `${bytes.toBase64()} ${rank}\n`;
  });
  return lines.join("");
}
