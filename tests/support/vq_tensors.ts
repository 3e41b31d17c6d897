/**
 * The tensors of the published vision tokenizer, in both layouts' names.
 *
 * @module
 */

import { goldenPath } from "./golden.ts";

/** A tensor of the published vision tokenizer. */
export interface VqTensor {
  /** In the original layout. */
  readonly original: string;
  /** There. */
  readonly shape: readonly number[];
  /** As transformers' converter names it. */
  readonly transformers: string;
  /** There: 1×1 convolutions of attention become matrices. */
  readonly transformersShape: readonly number[];
}

/** All 495, counters of BatchNorm included. */
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
