/**
 * The runner of multi-token steps: several tokens for each of a few rows, at
 * given positions.
 *
 * Sessions load on first use, since most models never speculate.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import type { Runtime } from "../runtime/runtime.ts";
import type { GraphBinding } from "../runtime/graph_session.ts";
import type { MultiTokenRow } from "./decoder.ts";
import type { DecoderSessions } from "./decoder_sessions.ts";
import { type AdapterStack, stackFor } from "./adapter_stack.ts";
import type { KvCache } from "./kv_cache.ts";
import { tensorsIn } from "../engine/step_runner.ts";
import { attentionBias, biasDtype } from "./attention_bias.ts";

/**
 * The number of cached bindings; creating one takes hundreds of native calls.
 */
const KEPT_BINDINGS = 16;

/** Runs the arrangement `multi_token`. */
export class MultiTokenRunner implements Disposable {
  readonly #runtime: Runtime;
  readonly #sessions: DecoderSessions;
  readonly #cache: KvCache;
  readonly #hiddenSize: number;
  readonly #adapters: AdapterStack | undefined;
  /** Bindings by their slots. */
  readonly #bindings = new LRUCache<string, GraphBinding>({
    max: KEPT_BINDINGS,
    dispose: (binding) => binding[Symbol.dispose](),
  });

  /** Creates the runner; no session is loaded yet. */
  constructor(
    runtime: Runtime,
    sessions: DecoderSessions,
    cache: KvCache,
    hiddenSize: number,
    adapters?: AdapterStack,
  ) {
    this.#runtime = runtime;
    this.#sessions = sessions;
    this.#cache = cache;
    this.#hiddenSize = hiddenSize;
    this.#adapters = adapters;
  }

  /**
   * Appends the same number of tokens to each of some rows.
   *
   * @returns Hidden states `[S, E]`, one array per row.
   * @throws {RangeError} If position ids do not ascend.
   */
  async run(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const [{ tokens, positionIds }] = rows as [MultiTokenRow];
    const count = tokens.length;
    const explicitPositions = positionIds !== undefined;
    const adapters = stackFor(this.#adapters, rows);
    const binding = await this.#binding(rows, explicitPositions, adapters);
    using stack = new DisposableStack();
    const tensor = tensorsIn(stack, { runtime: this.#runtime });
    const chosen = rows.map(({ adapter }) => adapter);
    adapters?.bindRows(binding, "multi_token", chosen, tensor);
    const ids = BigInt64Array.from(
      rows.flatMap(({ tokens }) => tokens),
      BigInt,
    );
    binding.input("input_ids", tensor(ids, [rows.length, count]));
    for (const [i, row] of rows.entries()) {
      const total = row.position + count;
      binding.input(`seqlens_k.${i}`, tensor(Int32Array.of(total - 1), [1]));
      binding.input(
        `total_sequence_length.${i}`,
        tensor(Int32Array.of(total), []),
      );
      if (row.positionIds === undefined) continue;
      const own = row.positionIds.subarray(row.position, total);
      binding.input(
        `position_ids.${i}`,
        tensor(BigInt64Array.from(own, BigInt), [1, count]),
      );
      const { computeDtype } = this.#runtime.provider;
      const dtype = biasDtype(this.#cache.dtype, computeDtype);
      const bias = attentionBias(row.positionIds, row.position, dtype);
      const shape = [1, 1, count, total];
      binding.input(`bias.${i}`, tensor(bias, shape, dtype));
    }
    const size = count * this.#hiddenSize;
    const hidden = new Float32Array(rows.length * size);
    const shape = [rows.length, count, this.#hiddenSize];
    binding.output("hidden", tensor(hidden, shape));
    await binding.run(signal);
    return rows.map((_, i) => hidden.subarray(i * size, (i + 1) * size));
  }

  /** Frees the bindings. */
  [Symbol.dispose](): void {
    this.#bindings.clear();
  }

  async #binding(
    rows: readonly MultiTokenRow[],
    explicitPositions: boolean,
    adapters: AdapterStack | undefined,
  ): Promise<GraphBinding> {
    const adapted = adapters !== undefined;
    const name = `${explicitPositions} ${adapted} ${
      rows.map(({ slot }) => slot).join(" ")
    }`;
    let binding = this.#bindings.get(name);
    if (binding === undefined) {
      const session = await this.#sessions.decoder({
        type: "multi_token",
        rows: rows.length,
        explicitPositions,
      }, adapted);
      binding = session.bind();
      for (const [i, { slot }] of rows.entries()) {
        this.#cache.bind(binding, slot, 1, i);
      }
      adapters?.bind(binding, "multi_token");
      this.#bindings.set(name, binding);
    }
    return binding;
  }
}
