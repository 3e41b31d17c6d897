/**
 * The tensors of the published vision tokenizer, with their names in both
 * layouts.
 *
 * @module
 */

import { goldenPath } from "./golden.ts";

/** A tensor of the published vision tokenizer. */
export interface VqTensor {
  /** Name in the original layout. */
  readonly original: string;
  /** Shape in the original layout. */
  readonly shape: readonly number[];
  /** Name in transformers' layout. */
  readonly transformers: string;
  /**
   * Shape in transformers' layout: 1×1 convolutions of attention become
   * matrices.
   */
  readonly transformersShape: readonly number[];
}

/** Returns all 495 tensors, counters of BatchNorm included. */
export function vqTensors(): VqTensor[] {
  const [, ...lines] = Deno.readTextFileSync(goldenPath("vq_tensors.tsv"))
    .trimEnd().split("\n");
  return lines.map((line) => {
    const [original, shape, transformers, transformersShape] = line.split("\t");
    return {
      original: original!,
      shape: JSON.parse(shape!),
      transformers: transformers!,
      transformersShape: JSON.parse(transformersShape!),
    };
  });
}
