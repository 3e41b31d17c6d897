/**
 * The runner of prompts: many tokens for one row.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { codesName } from "../../models/prompt_attention.ts";
import { type StepParts, tensorsIn } from "../engine/step_runner.ts";
import type { GraphBinding, GraphSession } from "../runtime/graph_session.ts";
import type { MakeTensor } from "./adapter_stack.ts";

/**
 * The number of tokens from which attention over floats is faster than the
 * operator over codes, as measured on an AVX2 CPU.
 */
const FLOAT_TOKENS = 16;

/** The dependencies of {@linkcode PromptRunner}. */
export interface PromptParts extends StepParts {
  /** Configuration with the model's sizes. */
  readonly config: LanguageConfig;
  /** The session of the arrangement `prompt`, for an int8 cache only. */
  readonly prompt: GraphSession | undefined;
}

/** Runs one row of many tokens, by the arrangement `prompt` or `step`. */
export class PromptRunner {
  readonly #parts: PromptParts;

  /** Creates the runner. */
  constructor(parts: PromptParts) {
    this.#parts = parts;
  }

  /**
   * Appends `tokens` to a slot that holds `start` tokens.
   *
   * @returns Hidden states `[S, E]`.
   */
  async run(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { cache, hiddenSize, prompt } = this.#parts;
    const length = tokens.length;
    const codesOnly = length < FLOAT_TOKENS || prompt === undefined;
    const session = codesOnly ? this.#parts.session : prompt;
    const total = start + length;
    using stack = new DisposableStack();
    const binding = stack.use(session.bind());
    const tensor = tensorsIn(stack, this.#parts);
    const hidden = new Float32Array(length * hiddenSize);
    const ids = BigInt64Array.from(tokens, BigInt);
    binding.input("input_ids", tensor(ids, [1, length]));
    binding.input("seqlens_k", tensor(Int32Array.of(total - 1), [1]));
    binding.input("total_sequence_length", tensor(Int32Array.of(total), []));
    binding.output("hidden", tensor(hidden, [1, length, hiddenSize]));
    if (codesOnly) {
      cache.bind(binding, slot, 1);
      await binding.run(signal);
      return hidden;
    }
    binding.input("start", tensor(BigInt64Array.of(BigInt(start)), [1]));
    cache.bindPast(binding, slot);
    const parts = this.#bindCodes(binding, length, tensor);
    await binding.run(signal);
    cache.append(slot, start, { tokens: length, parts });
    return hidden;
  }

  /** Binds the outputs of new codes, layer × {key, value}. */
  #bindCodes(
    binding: GraphBinding,
    length: number,
    tensor: MakeTensor,
  ): Uint8Array<ArrayBuffer>[] {
    const { layers, keyValueHeads, headSize } = this.#parts.config;
    const shape = [1, keyValueHeads, length, headSize];
    return Array.from({ length: 2 * layers }, (_, i) => {
      const codes = new Uint8Array(keyValueHeads * length * headSize);
      const name = codesName(i >> 1, i % 2 === 0 ? "key" : "value");
      binding.output(name, tensor(codes, shape, "int8"));
      return codes;
    });
  }
}
