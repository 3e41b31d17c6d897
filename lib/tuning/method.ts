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
import { TuningError } from "./tuning_error.ts";

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
    /** Numbers of the layers that are adapted, ascending; undefined for all. */
    readonly layers: readonly number[] | undefined;
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

/**
 * Returns the numbers of the layers that are trained, ascending.
 *
 * @throws {TuningError} If the method names one that the model does not have.
 */
export function trainedLayers(
  config: LanguageConfig,
  method: TuningMethod,
): readonly number[] {
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  if (method.kind === "full" || method.layers === undefined) return layers;
  const missing = method.layers.find((layer) => layer >= config.layers);
  if (missing !== undefined) {
    throw new TuningError(
      `the model has no layer ${missing}: give --layers from 0 to ${
        config.layers - 1
      }`,
    );
  }
  return method.layers;
}

/** Returns the trained part of a matrix. */
export function trainingOf(
  method: TuningMethod,
  layer: number,
  matrix: LayerMatrix,
): MatrixTraining {
  if (method.kind === "full") return { kind: "full" };
  const { targets, layers } = method;
  const adapted = targets.includes(matrix) && layers?.includes(layer) !== false;
  if (!adapted) return { kind: "frozen" };
  return { kind: "lora", rank: method.rank, scale: adapterScale(method) };
}

/** Key of the table of embeddings. */
export const EMBEDDING_KEY = "model.embed_tokens.weight";
/** Key of the norm after the last layer. */
export const FINAL_NORM_KEY = `model.${FINAL_NORM}.weight`;
/** Key of the head. */
export const HEAD_KEY = `${HEAD_MATRIX}.weight`;

/**
 * Returns the parameters of a method, those that decay first.
 *
 * @throws {TuningError} If it names a layer that the model does not have.
 */
export function tunedParameters(
  config: LanguageConfig,
  method: TuningMethod,
): TunedParameter[] {
  const layers = trainedLayers(config, method);
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
