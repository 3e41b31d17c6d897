/**
 * The spellings of tensor keys in both layouts.
 *
 * The original layout has one folder for the language model and one for the
 * vision tokenizer. transformers stores both in one folder under prefixes, of
 * which there are two generations: files of the Hub, and files saved by
 * transformers 4.52 or later. A part that is saved alone has no prefix. Source:
 * convert_emu3_weights_to_hf.py of huggingface/transformers, whose replacements
 * are applied in its order.
 *
 * @module
 */

/**
 * A function that returns the spellings of a key of the original, in order of
 * preference.
 */
export type KeySpelling = (key: string) => readonly string[];

/** Returns a key in the original layout. */
export function originalKeys(key: string): readonly string[] {
  return [key];
}

/** Returns a language model's key in the transformers layout. */
export function transformersLanguageKeys(key: string): readonly string[] {
  const body = "model.";
  return key.startsWith(body)
    ? [`text_model.${key}`, `model.text_model.${key.slice(body.length)}`, key]
    : [`text_model.${key}`, key];
}

/** Returns a vision tokenizer's key in the transformers layout. */
export function transformersVisionKeys(key: string): readonly string[] {
  const converted = VISION_REPLACEMENTS.reduce(
    (text, [pattern, replacement]) => text.replaceAll(pattern, replacement),
    `vqmodel.${key}`,
  );
  const alone = converted.slice("vqmodel.".length);
  return [converted, `model.${converted}`, alone];
}

const VISION_REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [/\.q\./g, ".q_proj."],
  [/\.k\./g, ".k_proj."],
  [/\.v\./g, ".v_proj."],
  [/\.proj_out\./g, ".out_proj."],
  [/mid\.attn_1\.norm\./g, "mid.attn_norm."],
  [/attn\.(\d+)\.norm\./g, "attn_norms.$1."],
  [/\.down\./g, ".down_block.down."],
  [/\.up\./g, ".up_block.up."],
  [/\.mid\./g, ".middle_block."],
];
