/**
 * The layout of a checkpoint, determined from its `config.json`.
 *
 * ```text
 * flat, model_type "Emu3", "Emu3VisionVQ"     original
 * text_config, vq_config                      transformers: both models
 * flat, model_type "emu3_text_model", …       transformers: one saved alone
 * ```
 *
 * @module
 */

/** The layout, by the software that wrote a folder. */
export type Layout = "original" | "transformers";

/**
 * Model types of the parts of a transformers checkpoint that are saved alone.
 */
const PART_TYPES: ReadonlySet<unknown> = new Set([
  "emu3_text_model",
  "emu3_vqgan",
]);

/**
 * Returns the layout of the checkpoint whose parsed `config.json` is `config`;
 * the original layout if it is not a configuration.
 */
export function layoutOf(config: unknown): Layout {
  const isPart = typeof config === "object" && config !== null &&
    "model_type" in config && PART_TYPES.has(config.model_type);
  return isPart || holdsBoth(config) ? "transformers" : "original";
}

/**
 * Returns true if the folder whose parsed `config.json` is `config` holds a
 * language model and its vision tokenizer.
 */
export function holdsBoth(config: unknown): boolean {
  return typeof config === "object" && config !== null &&
    ("text_config" in config || "vq_config" in config);
}
