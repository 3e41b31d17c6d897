/**
 * Emu3's language model as ONNX graphs: a Llama-style decoder, and its head.
 *
 * ```text
 * input_ids ─▶ embedding ─▶ layer × L ─▶ norm ─▶ hidden        (decoder)
 *                             ⇅ keys, values
 * hidden ─▶ head ─▶ logits                                     (head)
 * ```
 *
 * The head is a graph of its own because few positions need one, and a picture
 * needs only the rows of the head that are codes.
 *
 * Shapes: B rows of the batch, S tokens this run, T positions of the cache,
 * E hidden size, N query heads, H key-value heads, D head size, F intermediate
 * size, V tokens judged.
 *
 * Scopes are the original layout's keys, so weights find themselves. Source:
 * Emu3/mllm/modeling_emu3.py of baaivision/Emu3.
 *
 * @module
 */

import type { LanguageConfig } from "./config/language_config.ts";
import {
  Graph,
  type GraphOptions,
  type Rows,
  type Value,
} from "./graph/graph.ts";
import type { Weights } from "./graph/weights.ts";

/** A graph and what else is needed to bind it. */
export interface BuiltGraph {
  /** An encoded `ModelProto`. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Names of the outputs that tracing adds. */
  readonly traced: readonly string[];
}

/** How to build a decoder. */
export interface DecoderOptions extends GraphOptions {
  /** Positions of the key-value cache, T. */
  readonly positions: number;
}

/** Inputs that every layer's attention shares. */
interface AttentionInputs {
  /** Tokens of each row after this run, minus one: int32 `[B]`. */
  readonly seqlens: Value;
  /** The greatest number of tokens of any row after this run: int32 `[]`. */
  readonly total: Value;
  /** `[T, D/2]` */
  readonly cos: Value;
  /** `[T, D/2]` */
  readonly sin: Value;
}

/**
 * The decoder.
 *
 * Inputs: `input_ids` int64 `[B, S]`; `seqlens_k` int32 `[B]`, tokens of a row
 * after this run minus one; `total_sequence_length` int32 `[]`, their maximum
 * plus one; `past_key_values.{layer}.{key,value}` `[B, H, T, D]`.
 * Outputs: `hidden` `[B, S, E]`, normed; `present.{layer}.{key,value}`, to be
 * bound to the same memory as the past.
 *
 * ONNX Runtime takes either S = 1 or, with a past, B = 1.
 */
export function decoderGraph(
  config: LanguageConfig,
  weights: Weights,
  options: DecoderOptions,
): BuiltGraph {
  const g = new Graph("decoder", weights, options);
  const ids = g.input("input_ids", "int64", ["B", "S"]);
  const inputs: AttentionInputs = {
    seqlens: g.input("seqlens_k", "int32", ["B"]),
    total: g.input("total_sequence_length", "int32", []),
    ...rotaryTables(g, config, options.positions),
  };
  const { vocabularySize, hiddenSize, layers } = config;
  const embedding = g.scope(
    "model",
    () => g.weight("embed_tokens.weight", [vocabularySize, hiddenSize]),
  );
  let x = g.apply("Gather", [embedding, ids]); // [B, S, E]
  for (let layer = 0; layer < layers; layer++) {
    x = g.scope(
      `model.layers.${layer}`,
      () => decoderLayer(g, config, x, inputs, layer),
    );
  }
  const hidden = g.scope("model", () => rmsNorm(g, config, x, "norm"));
  g.output("hidden", hidden, g.computeDtype, ["B", "S", hiddenSize]);
  return { model: g.encode(), traced: g.traced };
}

/**
 * The head: `hidden` `[B, E]` → `logits` float32 `[B, V]`.
 *
 * @param rows The tokens to judge; their rows of the head are read in place.
 */
export function headGraph(
  config: LanguageConfig,
  weights: Weights,
  options: GraphOptions & { readonly rows: Rows },
): BuiltGraph {
  const { hiddenSize, vocabularySize, tiedEmbeddings } = config;
  const g = new Graph("head", weights, options);
  const hidden = g.input("hidden", g.computeDtype, ["B", hiddenSize]);
  const key = tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  const head = g.weight(key, [vocabularySize, hiddenSize], options.rows);
  const logits = g.apply("FusedMatMul", [hidden, head], { transB: 1 });
  const wide = g.computeDtype === "float32"
    ? logits
    : g.cast(logits, "float32");
  g.output("logits", wide, "float32", ["B", options.rows.count]);
  return { model: g.encode(), traced: g.traced };
}

/**
 * ```text
 * x ─┬─▶ norm ─▶ attention ─▶ + ─┬─▶ norm ─▶ mlp ─▶ + ─▶
 *    └────────────────────────┘ └────────────────┘
 * ```
 * `[B, S, E]` → `[B, S, E]`
 */
function decoderLayer(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  inputs: AttentionInputs,
  layer: number,
): Value {
  const normed = rmsNorm(g, config, x, "input_layernorm");
  const attention = g.scope(
    "self_attn",
    () => selfAttention(g, config, normed, inputs, layer),
  );
  const middle = g.apply("Add", [x, attention]);
  const normedMiddle = rmsNorm(g, config, middle, "post_attention_layernorm");
  const gated = g.scope("mlp", () => mlp(g, config, normedMiddle));
  const out = g.apply("Add", [middle, gated]);
  g.mark("output", out);
  return out;
}

/**
 * Grouped-query attention over a cache that is written in place.
 *
 * ```text
 *      ┌─ q_proj ─┐
 * x ───┼─ k_proj ─┼─▶ rotary, cache, softmax ─▶ o_proj ─▶
 *      └─ v_proj ─┘
 * ```
 * `[B, S, E]` → `[B, S, E]`
 */
function selfAttention(
  g: Graph,
  config: LanguageConfig,
  x: Value,
  inputs: AttentionInputs,
  layer: number,
): Value {
  const { hiddenSize: E, heads: N, keyValueHeads: H, headSize: D } = config;
  const query = linear(g, x, "q_proj", [N * D, E]);
  const key = linear(g, x, "k_proj", [H * D, E]);
  const value = linear(g, x, "v_proj", [H * D, E]);
  const shape = ["B", H, "T", D];
  const cache = (part: string) =>
    g.input(`past_key_values.${layer}.${part}`, g.computeDtype, shape);
  const present = (part: string) => `present.${layer}.${part}`;
  const out = g.applyNamed(
    "GroupQueryAttention",
    [
      query,
      key,
      value,
      cache("key"),
      cache("value"),
      inputs.seqlens,
      inputs.total,
      inputs.cos,
      inputs.sin,
    ],
    [`attention.${layer}`, present("key"), present("value")],
    {
      num_heads: N,
      kv_num_heads: H,
      do_rotary: 1,
      rotary_interleaved: 0,
    },
  );
  for (const part of ["key", "value"]) {
    g.declareOutput(present(part), g.computeDtype, shape);
  }
  return linear(g, out[0]!, "o_proj", [E, N * D]);
}

/** SwiGLU: `down(silu(gate(x)) · up(x))`, `[B, S, E]` → `[B, S, E]`. */
function mlp(g: Graph, config: LanguageConfig, x: Value): Value {
  const { hiddenSize: E, intermediateSize: F } = config;
  const gate = linear(g, x, "gate_proj", [F, E]); // [B, S, F]
  const up = linear(g, x, "up_proj", [F, E]); // [B, S, F]
  const silu = g.apply("Mul", [gate, g.apply("Sigmoid", [gate])]);
  return linear(g, g.apply("Mul", [silu, up]), "down_proj", [E, F]);
}

/** `x · Wᵀ` with W as the checkpoint stores it, `[out, in]`. */
function linear(
  g: Graph,
  x: Value,
  name: string,
  shape: readonly [number, number],
): Value {
  const weight = g.weight(`${name}.weight`, shape);
  return g.apply("FusedMatMul", [x, weight], { transB: 1 });
}

/** `x / rms(x) · weight`; the mean is taken in fp32 as in the reference. */
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

/**
 * Cosines and sines of every position, `[T, D/2]` each.
 *
 * Rounded to fp32 at the steps at which the reference rounds: frequencies, then
 * angles, then the table.
 */
function rotaryTables(
  g: Graph,
  config: LanguageConfig,
  positions: number,
): { cos: Value; sin: Value } {
  const { ropeTheta, headSize } = config;
  const half = headSize / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const power = Math.fround(ropeTheta ** Math.fround((2 * i) / headSize));
    const frequency = Math.fround(1 / power);
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  const table = (data: Float32Array<ArrayBuffer>) =>
    g.floats(data, [positions, half]);
  return { cos: table(cos), sin: table(sin) };
}
