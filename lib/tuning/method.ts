/**
 * The method of tuning: an adapter beside some matrices, or all weights.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { FINAL_NORM, HEAD_MATRIX } from "../../models/tuning/head.ts";
import {
  LAYER_MATRICES,
  LAYER_NORMS,
  layerKey,
  type LayerMatrix,
  matrixShape,
} from "../../models/tuning/layer_parts.ts";
import {
  adapterNames,
  type MatrixTraining,
} from "../../models/tuning/matrix.ts";

/** A method of tuning. */
export type TuningMethod =
  | { readonly kind: "full" }
  | {
    readonly kind: "lora";
    /** Rank of the adapter, 1 or more. */
    readonly rank: number;
    /** Weight of the adapter. */
    readonly alpha: number;
    /** True if it is divided by the root of the rank, not by the rank. */
    readonly stabilized: boolean;
    /** Matrices of each layer that are adapted. */
    readonly targets: readonly LayerMatrix[];
    /**
     * True if the head is trained beside it, as a whole: for words that the
     * base never wrote.
     */
    readonly head: boolean;
  };

/** A parameter that is trained. */
export interface TunedParameter {
  /** Key of the original layout, or of PEFT without its prefix. */
  readonly name: string;
  /** Sides, outermost first. */
  readonly shape: readonly number[];
  /** True if weight decay applies, as to all matrices. */
  readonly decays: boolean;
}

/** Returns the factor of an adapter's product. */
export function adapterScale(
  { rank, alpha, stabilized }: TuningMethod & { readonly kind: "lora" },
): number {
  return alpha / (stabilized ? Math.sqrt(rank) : rank);
}

/** Returns the trained part of a matrix. */
export function trainingOf(
  method: TuningMethod,
  matrix: LayerMatrix,
): MatrixTraining {
  if (method.kind === "full") return { kind: "full" };
  if (!method.targets.includes(matrix)) return { kind: "frozen" };
  return { kind: "lora", rank: method.rank, scale: adapterScale(method) };
}

/** Key of the table of embeddings. */
export const EMBEDDING_KEY = "model.embed_tokens.weight";
/** Key of the norm after the last layer. */
export const FINAL_NORM_KEY = `model.${FINAL_NORM}.weight`;
/** Key of the head. */
export const HEAD_KEY = `${HEAD_MATRIX}.weight`;

/** Returns the parameters of a method, those that decay first. */
export function tunedParameters(
  config: LanguageConfig,
  method: TuningMethod,
): TunedParameter[] {
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  const { vocabularySize: V, hiddenSize: E, tiedEmbeddings } = config;
  if (method.kind === "lora") {
    const head = { name: HEAD_KEY, shape: [V, E], decays: true };
    const adapters = layers.flatMap((layer) =>
      method.targets.flatMap((matrix) =>
        adapterParameters(config, layer, matrix, method.rank)
      )
    );
    return method.head ? [...adapters, head] : adapters;
  }
  const matrix = (name: string, shape: readonly number[]) => ({
    name,
    shape,
    decays: true,
  });
  const norm = (name: string) => ({ name, shape: [E], decays: false });
  return [
    matrix(EMBEDDING_KEY, [V, E]),
    ...layers.flatMap((layer) =>
      LAYER_MATRICES.map((name) =>
        matrix(`${layerKey(layer, name)}.weight`, matrixShape(config, name))
      )
    ),
    ...tiedEmbeddings ? [] : [matrix(HEAD_KEY, [V, E])],
    ...layers.flatMap((layer) =>
      LAYER_NORMS.map((name) => norm(`${layerKey(layer, name)}.weight`))
    ),
    norm(FINAL_NORM_KEY),
  ];
}

function adapterParameters(
  config: LanguageConfig,
  layer: number,
  matrix: LayerMatrix,
  rank: number,
): TunedParameter[] {
  const [N, K] = matrixShape(config, matrix);
  const { a, b } = adapterNames(layerKey(layer, matrix));
  return [
    { name: a, shape: [rank, K], decays: true },
    { name: b, shape: [N, rank], decays: true },
  ];
}
