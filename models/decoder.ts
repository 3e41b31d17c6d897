/**
 * The language model of Emu3 as ONNX graphs: a Llama-style decoder, and its
 * head.
 *
 * ```text
 * input_ids ─▶ embedding ─▶ layer × L ─▶ norm ─▶ hidden        (decoder)
 *                             ⇅ keys, values
 * hidden ─▶ head ─▶ logits                                     (head)
 * ```
 *
 * The head is a separate graph, because few positions need it, and a picture
 * needs only its rows for codes.
 *
 * Shapes: B rows of the batch, S tokens of this run, T positions of the cache,
 * E hidden size, N query heads, H key-value heads, D head size, F intermediate
 * size, V tokens scored.
 *
 * Scopes are keys of the original layout, by which weights are found. Source:
 * Emu3/mllm/modeling_emu3.py of baaivision/Emu3.
 *
 * @module
 */

import { attention, type AttentionOptions } from "./attention.ts";
import {
  adaptedLinear,
  type AdapterStackShape,
  type Linear,
} from "./adapter_rows.ts";
import type { Attention } from "./cached_attention.ts";
import type { LanguageConfig } from "./config/language_config.ts";
import type { BuiltGraph } from "./graph/built_graph.ts";
import { Graph, type Value } from "./graph/graph.ts";
import type { GraphOptions } from "./graph/graph_options.ts";
import type { Rows, Weights } from "./graph/weights.ts";
import { embedding, linear } from "./linear.ts";

/** Options of {@linkcode decoderGraph}. */
export interface DecoderOptions extends GraphOptions, AttentionOptions {
  /** Adapters that rows may have; none by default. */
  readonly adapters?: AdapterStackShape | undefined;
  /** Layers of the graph; all by default. */
  readonly layers?: LayerRange | undefined;
}

/** Consecutive layers, from `start` up to, but not including, `end`. */
export interface LayerRange {
  /** Index of the first layer. */
  readonly start: number;
  /** Index after the last layer. */
  readonly end: number;
}

/** The parts that all layers share. */
interface Shared {
  readonly attend: Attention;
  readonly project: Linear;
}

/**
 * Builds the graph of the decoder.
 *
 * Inputs: `input_ids` int64, `[B, S]` but for pairs `[N]`; those of the
 * arrangement (`attention.ts`) and of adapters (`adapter_rows.ts`);
 * `past_key_values.{layer}.{key,value}` `[B, H, T, D]`. Outputs: `hidden`
 * float32 `[…, E]`, normed; `present.{layer}.{key,value}`, to be bound to the
 * same memory as the past (of prompts, `codes.…`; see `prompt_attention.ts`).
 *
 * With some of the layers, the graph is a part of the decoder: it has the input
 * `residual.{start}` instead of `input_ids` unless it is the first, and the
 * output `residual.{end}` instead of `hidden` unless it is the last; both are
 * of the computing type, `[…, E]`.
 */
export function decoderGraph(
  config: LanguageConfig,
  weights: Weights,
  options: DecoderOptions,
): BuiltGraph {
  const g = new Graph("decoder", weights, options);
  const shape = options.arrangement.type === "two_token" ? ["N"] : ["B", "S"];
  const { vocabularySize, hiddenSize } = config;
  const { start, end } = options.layers ?? { start: 0, end: config.layers };
  const residual = [g.computeDtype, [...shape, hiddenSize]] as const;
  const input = start === 0
    ? g.input("input_ids", "int64", shape)
    : g.input(`residual.${start}`, ...residual);
  const shared = {
    attend: attention(g, config, options),
    project: adaptedLinear(g, options.adapters, options.arrangement),
  };
  let x = start > 0 ? input : g.scope(
    "model",
    () => embedding(g, input, "embed_tokens", [vocabularySize, hiddenSize]),
  ); // […, E]
  for (let layer = start; layer < end; layer++) {
    x = g.scope(
      `model.layers.${layer}`,
      () => decoderLayer(g, config, x, shared, layer),
    );
  }
  if (end < config.layers) {
    g.output(`residual.${end}`, x, ...residual);
    return g.build();
  }
  const hidden = g.scope("model", () => rmsNorm(g, config, x, "norm"));
  g.output("hidden", single(g, hidden), "float32", [...shape, hiddenSize]);
  return g.build();
}

/**
 * Builds the head: `hidden` float32 `[B, E]` → `logits` float32 `[B, V]`.
 *
 * @param rows Rows of the head for the tokens to score, read in place.
 */
export function headGraph(
  config: LanguageConfig,
  weights: Weights,
  options: GraphOptions & { readonly rows: Rows },
): BuiltGraph {
  const { hiddenSize, vocabularySize, tiedEmbeddings } = config;
  const g = new Graph("head", weights, options);
  const given = g.input("hidden", "float32", ["B", hiddenSize]);
  const hidden = g.computeDtype === "float32"
    ? given
    : g.cast(given, g.computeDtype);
  const name = tiedEmbeddings ? "model.embed_tokens" : "lm_head";
  const shape = [vocabularySize, hiddenSize] as const;
  const logits = linear(g, hidden, name, shape, options.rows);
  g.output("logits", single(g, logits), "float32", ["B", options.rows.count]);
  return g.build();
}

/**
 * Casts to fp32, which JavaScript can read and which represents all computing
 * types.
 */
function single(g: Graph, x: Value): Value {
  return g.computeDtype === "float32" ? x : g.cast(x, "float32");
}

/**
 * ```text
 * x ─┬─▶ norm ─▶ attention ─▶ + ─┬─▶ norm ─▶ mlp ─▶ + ─▶
 *    └────────────────────────┘ └────────────────┘
 * ```
 * `[…, E]` → `[…, E]`
 */
function decoderLayer(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  shared: Shared,
  layer: number,
): Value {
  const normed = rmsNorm(g, config, x, "input_layernorm");
  const attention = g.scope(
    "self_attn",
    () => selfAttention(g, config, normed, shared, layer),
  );
  const middle = g.apply("Add", [x, attention]);
  const normedMiddle = rmsNorm(g, config, middle, "post_attention_layernorm");
  const gated = g.scope("mlp", () => mlp(g, config, normedMiddle, shared));
  const out = g.apply("Add", [middle, gated]);
  g.mark("output", out);
  return out;
}

/**
 * ```text
 *      ┌─ q_proj ─┐
 * x ───┼─ k_proj ─┼─▶ rotary, cache, softmax ─▶ o_proj ─▶
 *      └─ v_proj ─┘
 * ```
 * `[…, E]` → `[…, E]`
 */
function selfAttention(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  shared: Shared,
  layer: number,
): Value {
  const { hiddenSize: E, heads: N, keyValueHeads: H, headSize: D } = config;
  const { attend, project } = shared;
  const projections = {
    query: project(g, x, "q_proj", [N * D, E]),
    key: project(g, x, "k_proj", [H * D, E]),
    value: project(g, x, "v_proj", [H * D, E]),
  };
  return project(g, attend(projections, layer), "o_proj", [E, N * D]);
}

/** Adds SwiGLU: `down(silu(gate(x)) · up(x))`, `[…, E]` → `[…, E]`. */
function mlp(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  { project }: Shared,
): Value {
  const { hiddenSize: E, intermediateSize: F } = config;
  const gate = project(g, x, "gate_proj", [F, E]); // […, F]
  const up = project(g, x, "up_proj", [F, E]); // […, F]
  const silu = g.apply("Mul", [gate, g.apply("Sigmoid", [gate])]);
  return project(g, g.apply("Mul", [silu, up]), "down_proj", [E, F]);
}

/**
 * Adds `x / rms(x) · weight`; the mean is taken in fp32 as in the reference.
 */
function rmsNorm(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  name: string,
): Value {
  const weight = g.weight(`${name}.weight`, [config.hiddenSize]);
  return g.apply("SimplifiedLayerNormalization", [x, weight], {
    axis: -1,
    epsilon: { float: config.normEpsilon },
    stash_type: 1,
  });
}
