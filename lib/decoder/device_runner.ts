/**
 * The runner of rows on a device: the same number of tokens in each row, of a
 * prompt, a step or a window.
 *
 * ```text
 * rows       slot 3, slot 0, slot 7  ─▶ session for 4: 3, 0, 7, spare
 * ```
 *
 * One session exists for each power of two of rows; missing rows are filled
 * with rows over a spare slot, whose results are ignored. Unlike on a CPU, a
 * row may round differently in another batch: a device's kernels depend on the
 * number of rows.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import type { Runtime } from "../runtime/runtime.ts";
import type { GraphBinding } from "../runtime/graph_session.ts";
import type { MultiTokenRow } from "./decoder.ts";
import type { DecoderSessions } from "./decoder_sessions.ts";
import { type AdapterStack, stackFor } from "./adapter_stack.ts";
import type { DeviceCache } from "./device_cache.ts";
import { tensorsIn } from "../engine/step_runner.ts";
import { attentionBias, biasDtype } from "./attention_bias.ts";

/** The dependencies of {@linkcode DeviceRunner}. */
export interface DeviceRunnerParts {
  /** The runtime that creates tensors. */
  readonly runtime: Runtime;
  /** Sessions by arrangement. */
  readonly sessions: DecoderSessions;
  /** The KV cache. */
  readonly cache: DeviceCache;
  /** The hidden size, E. */
  readonly hiddenSize: number;
  /** A slot that no sequence uses. */
  readonly spare: number;
  /** Adapters that rows may have; none by default. */
  readonly adapters?: AdapterStack | undefined;
}

/** A cached binding and its slots. */
interface KeptBinding {
  readonly binding: GraphBinding;
  readonly slots: readonly number[];
}

/**
 * The number of cached bindings; creating one takes thousands of native calls.
 */
const KEPT_BINDINGS = 16;

/** Runs prompts and steps by the arrangement `multi_token`. */
export class DeviceRunner implements Disposable {
  readonly #parts: DeviceRunnerParts;
  /** Bindings by their slots. */
  readonly #bindings = new LRUCache<string, KeptBinding>({
    max: KEPT_BINDINGS,
    dispose: ({ binding }) => binding[Symbol.dispose](),
  });

  /** Creates the runner; no session is loaded yet. */
  constructor(parts: DeviceRunnerParts) {
    this.#parts = parts;
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
    const { maxRows } = this.#parts.runtime.provider;
    const hidden: Float32Array<ArrayBuffer>[] = [];
    for (let first = 0; first < rows.length; first += maxRows) {
      const some = rows.slice(first, first + maxRows);
      hidden.push(...await this.#runRows(some, signal));
    }
    return hidden;
  }

  /** Frees the bindings of a slot whose tensors change. */
  forget(slot: number): void {
    for (const [name, { slots }] of [...this.#bindings]) {
      if (slots.includes(slot)) this.#bindings.delete(name);
    }
  }

  /** Frees the bindings. */
  [Symbol.dispose](): void {
    this.#bindings.clear();
  }

  /** Runs the rows in chunks of at most the device's maximum of tokens. */
  async #runRows(
    rows: readonly MultiTokenRow[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { maxTokens } = this.#parts.runtime.provider;
    const count = rows[0]!.tokens.length;
    if (count <= maxTokens) return await this.#runOnce(rows, signal);
    const size = count * this.#parts.hiddenSize;
    const hidden = rows.map(() => new Float32Array(size));
    for (let start = 0; start < count; start += maxTokens) {
      const end = Math.min(count, start + maxTokens);
      const part = rows.map((row) => partOf(row, start, end));
      const states = await this.#runOnce(part, signal);
      const at = start * this.#parts.hiddenSize;
      states.forEach((state, row) => hidden[row]!.set(state, at));
    }
    return hidden;
  }

  async #runOnce(
    rows: readonly MultiTokenRow[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { runtime, hiddenSize } = this.#parts;
    const count = rows[0]!.tokens.length;
    const padded = await this.#padded(rows);
    const adapters = stackFor(this.#parts.adapters, rows);
    const binding = await this.#binding(padded, adapters);
    using stack = new DisposableStack();
    // Bound for each run, because ONNX Runtime copies inputs to a device on
    // binding.
    const tensor = tensorsIn(stack, { runtime });
    const chosen = padded.map(({ adapter }) => adapter);
    adapters?.bindRows(binding, "multi_token", chosen, tensor);
    const ids = BigInt64Array.from(
      padded.flatMap(({ tokens }) => tokens),
      BigInt,
    );
    binding.input("input_ids", tensor(ids, [padded.length, count]));
    for (const [i, row] of padded.entries()) {
      const total = row.position + count;
      binding.input(`seqlens_k.${i}`, tensor(Int32Array.of(total - 1), [1]));
      const totals = tensor(Int32Array.of(total), []);
      binding.input(`total_sequence_length.${i}`, totals);
      if (row.positionIds === undefined) continue;
      const own = BigInt64Array.from(
        row.positionIds.subarray(row.position),
        BigInt,
      );
      binding.input(`position_ids.${i}`, tensor(own, [1, count]));
      const { computeDtype } = runtime.provider;
      const dtype = biasDtype(this.#parts.cache.dtype, computeDtype);
      const bias = attentionBias(row.positionIds, row.position, dtype);
      const shape = [1, 1, count, total];
      binding.input(`bias.${i}`, tensor(bias, shape, dtype));
    }
    const size = count * hiddenSize;
    const hidden = new Float32Array(padded.length * size);
    const shape = [padded.length, count, hiddenSize];
    binding.output("hidden", tensor(hidden, shape));
    await binding.run(signal);
    return rows.map((_, i) => hidden.subarray(i * size, (i + 1) * size));
  }

  /**
   * Returns the rows padded to the next power of two, each with room for its
   * tokens.
   */
  async #padded(rows: readonly MultiTokenRow[]): Promise<MultiTokenRow[]> {
    const { cache, spare } = this.#parts;
    const [{ tokens, positionIds }] = rows as [MultiTokenRow];
    const filler: MultiTokenRow = {
      slot: spare,
      tokens: tokens.map(() => 0),
      position: 0,
      ...(positionIds && { positionIds: Int32Array.from(tokens.keys()) }),
    };
    const missing = 2 ** Math.ceil(Math.log2(rows.length)) - rows.length;
    const padded = [...rows, ...Array<MultiTokenRow>(missing).fill(filler)];
    for (const { slot, position, tokens } of padded) {
      await cache.reserve(slot, position + tokens.length, position);
    }
    return padded;
  }

  async #binding(
    rows: readonly MultiTokenRow[],
    adapters: AdapterStack | undefined,
  ): Promise<GraphBinding> {
    const adapted = adapters !== undefined;
    const explicitPositions = rows[0]!.positionIds !== undefined;
    const slots = rows.map(({ slot }) => slot);
    const name = `${explicitPositions} ${adapted} ${slots.join(" ")}`;
    let kept = this.#bindings.get(name);
    if (kept === undefined) {
      const { sessions, cache } = this.#parts;
      const arrangement = {
        type: "multi_token",
        rows: rows.length,
        explicitPositions,
      } as const;
      const session = await sessions.decoder(arrangement, adapted);
      const binding = session.bind();
      adapters?.bind(binding, "multi_token");
      slots.forEach((slot, row) => cache.bind(binding, slot, row));
      kept = { binding, slots };
      this.#bindings.set(name, kept);
    }
    return kept.binding;
  }
}

/** Returns a slice of a row's tokens. */
function partOf(row: MultiTokenRow, start: number, end: number): MultiTokenRow {
  const { tokens, position, positionIds } = row;
  return {
    ...row,
    tokens: tokens.slice(start, end),
    position: position + start,
    // Later tokens do not exist yet and are not attended to.
    ...(positionIds &&
      { positionIds: positionIds.subarray(0, position + end) }),
  };
}
