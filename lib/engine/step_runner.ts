/**
 * The runner of decode steps: one token for each of many rows.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";
import type { GraphBinding, GraphSession } from "../runtime/graph_session.ts";
import type { AdapterStack, MakeTensor } from "../decoder/adapter_stack.ts";
import { type Feed, MIN_ROWS } from "../decoder/decoder.ts";
import type { KvCache } from "../decoder/kv_cache.ts";

/** The buffers of a step for some number of rows. */
interface Buffers {
  readonly binding: GraphBinding;
  /** Token ids, `[B, 1]`. */
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** Lengths of the sequences before the token, `[B]`. */
  readonly seqlens: Int32Array<ArrayBuffer>;
  /** Length of the longest sequence, `[]`. */
  readonly total: Int32Array<ArrayBuffer>;
  /** Hidden states, `[B, 1, E]`. */
  readonly hidden: Float32Array<ArrayBuffer>;
}

/** The dependencies of {@linkcode StepRunner}. */
export interface StepParts {
  /** The runtime that creates tensors. */
  readonly runtime: Runtime;
  /** The session of the arrangement. */
  readonly session: GraphSession;
  /** The KV cache. */
  readonly cache: KvCache;
  /** The hidden size, E. */
  readonly hiddenSize: number;
  /** Adapters, if the session supports them. */
  readonly adapters?: AdapterStack | undefined;
}

/** Runs the arrangement `step`. */
export class StepRunner implements Disposable {
  readonly #parts: StepParts;
  readonly #resources = new DisposableStack();
  readonly #buffers = new Map<number, Buffers>();

  /**
   * Creates the runner; nothing is allocated before the first step of each
   * size.
   */
  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  /**
   * Appends one token to each of some rows.
   *
   * @param lengths Number of tokens that each slot holds.
   * @returns Hidden states `[E]`, one for each feed; valid until the next call.
   */
  async run(
    feeds: readonly Feed[],
    lengths: Int32Array,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { cache, hiddenSize: size, adapters } = this.#parts;
    const rows = stepRows(feeds);
    const buffers = this.#buffers.get(rows) ?? this.#make(rows);
    const { ids, seqlens, total, hidden } = buffers;
    ids.fill(0n);
    for (let slot = 0; slot < rows; slot++) {
      seqlens[slot] = freePosition(slot, lengths, cache.positions);
    }
    for (const { slot, tokens, position } of feeds) {
      ids[slot] = BigInt(tokens[0]!);
      seqlens[slot] = position;
    }
    total[0] = Math.max(...seqlens) + 1;
    using inputs = new DisposableStack();
    const chosen = adaptersBySlot(feeds, rows);
    const tensor = tensorsIn(inputs, this.#parts);
    adapters?.bindRows(buffers.binding, "step", chosen, tensor);
    await buffers.binding.run();
    return feeds.map(({ slot }) =>
      hidden.subarray(slot * size, (slot + 1) * size)
    );
  }

  /** Frees tensors and bindings. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
    this.#buffers.clear();
  }

  #make(rows: number): Buffers {
    const { session, cache, hiddenSize } = this.#parts;
    const buffers = {
      binding: this.#resources.use(session.bind()),
      ids: new BigInt64Array(rows),
      seqlens: new Int32Array(rows),
      total: new Int32Array(1),
      hidden: new Float32Array(rows * hiddenSize),
    };
    const { binding } = buffers;
    const tensor = tensorsIn(this.#resources, this.#parts);
    binding.input("input_ids", tensor(buffers.ids, [rows, 1]));
    binding.input("seqlens_k", tensor(buffers.seqlens, [rows]));
    binding.input("total_sequence_length", tensor(buffers.total, []));
    const shape = [rows, 1, hiddenSize];
    binding.output("hidden", tensor(buffers.hidden, shape));
    cache.bind(binding, 0, rows);
    this.#parts.adapters?.bind(binding, "step");
    this.#buffers.set(rows, buffers);
    return buffers;
  }
}

/** Returns a function that creates tensors which `resources` disposes of. */
export function tensorsIn(
  resources: DisposableStack,
  { runtime }: Pick<StepParts, "runtime">,
): MakeTensor {
  return (data, shape, dtype) =>
    resources.use(runtime.tensor(data, shape, dtype));
}

/** Returns the name of each row's adapter, by slot. */
function adaptersBySlot(
  feeds: readonly Feed[],
  rows: number,
): (string | undefined)[] {
  const names = Array<string | undefined>(rows).fill(undefined);
  for (const { slot, adapter } of feeds) names[slot] = adapter;
  return names;
}

/**
 * Returns the number of rows that a step of `feeds` runs: all up to the highest
 * slot, rounded up to an even number.
 */
export function stepRows(feeds: readonly Feed[]): number {
  return inPairs(Math.max(...feeds.map(({ slot }) => slot + 1)));
}

/**
 * Returns `rows`, or one more if it is odd: with quantized weights, the last
 * row of an odd number is computed by another kernel, which rounds differently.
 */
export function inPairs(rows: number): number {
  return MIN_ROWS * Math.ceil(rows / MIN_ROWS);
}

/**
 * Returns the position at which a slot without a token writes in a step that
 * includes it: that of its next token, which is overwritten before it is read.
 */
export function freePosition(
  slot: number,
  lengths: Int32Array,
  positions: number,
): number {
  return Math.min(lengths[slot]!, positions - 1);
}
