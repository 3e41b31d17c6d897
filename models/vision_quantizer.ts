/**
 * The vision tokenizer's quantizer as an ONNX graph: latent → codes.
 *
 * ```text
 * d(z, e) = |z|² + |e|² − 2 z·e      code = argmin d, the first on ties
 * ```
 *
 * The distance is expanded as in the reference, and computed in fp32 for any
 * stored type, since 32,768 entries are close together in four dimensions.
 * Source: Emu3VisionVQVectorQuantizer in modeling_emu3visionvq.py of
 * baaivision/Emu3.
 *
 * @module
 */

import type { VisionConfig } from "./config/vision_config.ts";
import type { BuiltGraph } from "./graph/built_graph.ts";
import { Graph, type Value } from "./graph/graph.ts";
import type { GraphOptions } from "./graph/graph_options.ts";
import type { Weights } from "./graph/weights.ts";

/** Builds `latent` float32 `[n, Z]` → `codes` int64 `[n]`. */
export function quantizerGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const { codebookSize, embedSize } = config;
  const g = new Graph("quantizer", weights, {
    ...options,
    computeDtype: "float32",
  });
  const latent = g.input("latent", "float32", ["n", embedSize]);
  const codebook = g.weight("quantize.embedding.weight", [
    codebookSize,
    embedSize,
  ]);
  const squares = (x: Value, keep: number) =>
    g.apply("ReduceSumSquare", [x, g.integers(1)], { keepdims: keep });
  const norms = g.apply("Add", [squares(latent, 1), squares(codebook, 0)]);
  const product = g.apply("FusedMatMul", [latent, codebook], {
    transB: 1,
    alpha: { float: 2 },
  });
  const distance = g.apply("Sub", [norms, product]); // [n, codebookSize]
  const codes = g.apply("ArgMin", [distance], {
    axis: 1,
    keepdims: 0,
    select_last_index: 0,
  });
  g.output("codes", codes, "int64", ["n"]);
  return g.build();
}
