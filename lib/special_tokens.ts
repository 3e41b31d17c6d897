/**
 * The special tokens: their names and roles.
 *
 * ```text
 * ranks │ <|endoftext|> <|im_start|> <|im_end|> <|extra_0|> … │ img boi eoi │ codes
 *         ╰─────────────── the same in every Emu3 ──────────╯   ╰ separate file ───╯
 * ```
 *
 * Only names are defined here; the checkpoint assigns the ids. Source:
 * `Emu3Tokenizer` in `tokenization_emu3.py` (BAAI/Emu3-Gen).
 *
 * @module
 */
import { CheckpointError } from "./errors.ts";

/** Ids of special tokens by name. */
export type SpecialTokens = ReadonlyMap<string, number>;

/** The name of the token in each role. */
export interface SpecialNames {
  /** Token that pads the shorter prompts of a batch. */
  readonly pad: string;
  /** Token that starts every prompt. */
  readonly bos: string;
  /** Token that ends every answer. */
  readonly eos: string;
  /** Token that ends the size of a picture: codes follow. */
  readonly img: string;
  /** Token that starts a picture: its size follows. */
  readonly boi: string;
  /** Token that ends a picture. */
  readonly eoi: string;
  /** Token that ends a row of codes. */
  readonly eol: string;
  /** Token that ends the last row of a picture. */
  readonly eof: string;
}

/**
 * The default names, for a checkpoint whose `tokenizer_config.json` has none.
 */
export const EMU3_SPECIAL_NAMES: SpecialNames = {
  pad: "<|endoftext|>",
  bos: "<|extra_203|>",
  eos: "<|extra_204|>",
  img: "<|image token|>",
  boi: "<|image start|>",
  eoi: "<|image end|>",
  eol: "<|extra_200|>",
  eof: "<|extra_201|>",
};

const EXTRAS = 205;

/**
 * Returns the special tokens of a checkpoint of the original layout, in the
 * order of their ids; the id of the first follows the last rank.
 *
 * @param visionTokens The text of `emu3_vision_tokens.txt`, one name per line.
 */
export function originalSpecials(visionTokens: string): string[] {
  const lines = visionTokens.split(/\r?\n/).map((line) => line.trim());
  return [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    ...Array.from({ length: EXTRAS }, (_, i) => `<|extra_${i}|>`),
    ...lines.filter((line) => line !== ""),
  ];
}

/** A file that may name special tokens. */
export interface NamingFile {
  /** Parsed JSON of the file. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Path of the file, for messages. */
  readonly file: string;
}

/** The objects that may contain the names of a model's own tokens. */
const NESTED = ["model_specific_special_tokens", "extra_special_tokens"];

/**
 * Returns the names in `files`, and the defaults for all others.
 *
 * transformers 4 writes names of a model's own tokens into
 * `extra_special_tokens` or beside the others, transformers 5 into
 * `model_specific_special_tokens`.
 *
 * @param files Files of either layout, in order of precedence.
 * @throws {CheckpointError} If a name is neither text nor an object with
 * `content`.
 */
export function specialNames(files: readonly NamingFile[]): SpecialNames {
  const objects = files.flatMap(({ json, file }) =>
    [json, ...NESTED.map((name) => json[name])]
      .filter((value) => typeof value === "object" && value !== null)
      .map((value) => ({ file, names: new Map(Object.entries(value!)) }))
  );
  const name = (fallback: string, ...keys: string[]): string => {
    for (const { file, names } of objects) {
      for (const key of keys) {
        const name = tokenName(names.get(key), key, file);
        if (name !== undefined) return name;
      }
    }
    return fallback;
  };
  const names = EMU3_SPECIAL_NAMES;
  return {
    pad: name(names.pad, "pad_token"),
    bos: name(names.bos, "bos_token"),
    eos: name(names.eos, "eos_token"),
    // transformers uses `image_token` for another token, a placeholder of whole
    // pictures.
    img: name(names.img, "img_token", "image_wrapper_token"),
    boi: name(names.boi, "boi_token"),
    eoi: name(names.eoi, "eoi_token"),
    eol: name(names.eol, "eol_token"),
    eof: name(names.eof, "eof_token"),
  };
}

/**
 * Returns the name in `value`, a text or an object with `content`; undefined
 * for none.
 */
function tokenName(
  value: unknown,
  key: string,
  file: string,
): string | undefined {
  // transformers writes null for "no such token".
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "object" && "content" in value) {
    const { content } = value;
    if (typeof content === "string") return content;
  }
  throw new CheckpointError(file, `"${key}" is not the name of a token`);
}
