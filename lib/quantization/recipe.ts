/**
 * The recipe of a quantization: the storage of each tensor of a language model.
 *
 * ```text
 * layers.*.*_proj.weight   codes of `bits`, a scale for every block of a row
 * lm_head.weight           codes of `headBits`
 * embed_tokens.weight      16 bits: rows are looked up, so they cost nothing
 * everything else          unchanged
 * ```
 *
 * Tensors of the vision tokenizer, which the transformers layout keeps in the
 * same files, stay unchanged.
 *
 * @module
 */

import type { CodeBits } from "../../models/graph/weights.ts";

/** Precisions that a checkpoint can be quantized to. */
export const QUANTIZED_PRECISIONS = ["int8", "int4"] as const;

/** A precision that a checkpoint can be quantized to. */
export type QuantizedPrecision = typeof QUANTIZED_PRECISIONS[number];

/** The sizes of codes and blocks. */
export interface Recipe {
  /** Bits of a code in linear layers. */
  readonly bits: CodeBits;
  /** Bits of a code in the head. */
  readonly headBits: CodeBits;
  /**
   * Block size: number of codes that share a scale. It is halved until it
   * divides a row.
   */
  readonly blockSize: number;
}

/** The conversion of a tensor. */
export type Conversion =
  | { readonly kind: "copy" }
  | { readonly kind: "halve" }
  | {
    readonly kind: "quantize";
    readonly bits: CodeBits;
    readonly blockSize: number;
  };

/** The properties of a tensor that {@linkcode conversionOf} depends on. */
export interface TensorFacts {
  /** Name in its file. */
  readonly name: string;
  /** Type such as `F32`. */
  readonly dtype: string;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
}

/**
 * The recipe of each precision; tests/bench/QUANTIZATION.md gives the reasons.
 */
export const RECIPES: Readonly<Record<QuantizedPrecision, Recipe>> = {
  int8: { bits: 8, headBits: 8, blockSize: 32 },
  int4: { bits: 4, headBits: 4, blockSize: 128 },
};

/** The minimum block size that the kernels of ONNX Runtime support. */
const LEAST_BLOCK = 16;

const FLOAT_DTYPES: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);
const VISION = /(^|\.)vqmodel\./;
const LAYER = /(^|\.)layers\.\d+\.(self_attn|mlp)\.[a-z]+_proj\.weight$/;
const HEAD = /(^|\.)lm_head\.weight$/;
const EMBEDDING = /(^|\.)embed_tokens\.weight$/;

/** Returns the conversion of a tensor by `recipe`. */
export function conversionOf(tensor: TensorFacts, recipe: Recipe): Conversion {
  const { name, dtype, shape } = tensor;
  if (VISION.test(name) || shape.length !== 2 || !FLOAT_DTYPES.has(dtype)) {
    return { kind: "copy" };
  }
  if (EMBEDDING.test(name) && dtype === "F32") return { kind: "halve" };
  const bits = LAYER.test(name)
    ? recipe.bits
    : HEAD.test(name)
    ? recipe.headBits
    : undefined;
  const blockSize = blockSizeFor(shape[1]!, recipe.blockSize);
  return bits === undefined || blockSize === undefined
    ? { kind: "copy" }
    : { kind: "quantize", bits, blockSize };
}

/** Returns the greatest block size up to `most` that divides a row. */
function blockSizeFor(rowLength: number, most: number): number | undefined {
  for (let size = most; size >= LEAST_BLOCK; size /= 2) {
    if (rowLength % size === 0) return size;
  }
  return undefined;
}
