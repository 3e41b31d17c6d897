/**
 * The KV cache of all layers, updated in place by each run.
 *
 * ```text
 * layer × {key, value}: [slots, H, T, D]
 *                        └─ a slot is one row of the batch
 * ```
 *
 * Graphs read and write this memory directly: the same tensors are bound as
 * past and as present. A slot takes physical memory only where it was written,
 * and releases it when it is trimmed.
 *
 * @module
 */

import { cacheNames } from "../../models/cached_attention.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import { DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { delay } from "../async/delay.ts";
import type { CacheDtype } from "../runtime/provider.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { GraphBinding } from "../runtime/graph_session.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** Returns the bytes that one token takes in one slot, all layers together. */
export function cacheBytesPerToken(
  { layers, keyValueHeads, headSize }: LanguageConfig,
  dtype: CacheDtype,
): number {
  return 2 * layers * keyValueHeads * headSize * DTYPE_BYTES[dtype];
}

/** Dimensions of a KV cache. */
export interface KvCacheSize {
  /** Number of rows that may run together. */
  readonly slots: number;
  /** Number of tokens that a slot holds, T. */
  readonly positions: number;
  /** Element type of the cache. */
  readonly dtype: CacheDtype;
}

/** A copy of a slot: layer × {key, value}, `[H, tokens, D]`. */
export interface CacheSnapshot {
  /** Number of tokens in the copy. */
  readonly tokens: number;
  /** Keys and values, one array for each part of a layer. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** The tensors of one layer. */
interface LayerTensors {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Bytes that are copied at once; the event loop runs between two pieces. */
const PIECE_BYTES = 1 << 26;

/** Holds the memory of all slots. */
export class KvCache implements Disposable {
  readonly #runtime: Runtime;
  readonly #config: LanguageConfig;
  readonly #size: KvCacheSize;
  /**
   * The memory of `[layers, 2, slots, H, T, D]`, key then value. One block,
   * because V8 collects garbage for every large allocation.
   */
  readonly #memory: ReturnType<Runtime["allocate"]>;
  /** Bytes of `[slots, H, T, D]`. */
  readonly #partBytes: number;
  readonly #views = new Map<string, LayerTensors[]>();
  readonly #resources = new DisposableStack();
  /** Bytes of `[D]`. */
  readonly #vectorBytes: number;

  /** Reserves address space; memory is committed as it is written. */
  constructor(runtime: Runtime, config: LanguageConfig, size: KvCacheSize) {
    this.#runtime = runtime;
    this.#config = config;
    this.#size = size;
    const { layers, keyValueHeads, headSize } = config;
    this.#vectorBytes = headSize * DTYPE_BYTES[size.dtype];
    this.#partBytes = size.slots * keyValueHeads * size.positions *
      this.#vectorBytes;
    this.#memory = this.#resources.use(
      runtime.allocate(2 * layers * this.#partBytes),
    );
  }

  /** Number of rows that may run together. */
  get slots(): number {
    return this.#size.slots;
  }

  /** Number of tokens that a slot holds, T. */
  get positions(): number {
    return this.#size.positions;
  }

  /** Element type of the cache. */
  get dtype(): CacheDtype {
    return this.#size.dtype;
  }

  /**
   * Binds `rows` slots, from `first` up, as past and present.
   *
   * @param name Name of the row or turn, where a graph has several.
   */
  bind(
    binding: GraphBinding,
    first: number,
    rows: number,
    name?: string | number,
  ): void {
    for (const [layer, tensors] of this.#view(first, rows).entries()) {
      for (const part of ["key", "value"] as const) {
        const { past, present } = cacheNames(layer, part, name);
        binding.input(past, tensors[part]);
        binding.output(present, tensors[part]);
      }
    }
  }

  /** Binds one slot as past only. */
  bindPast(binding: GraphBinding, slot: number): void {
    for (const [layer, tensors] of this.#view(slot, 1).entries()) {
      for (const part of ["key", "value"] as const) {
        binding.input(cacheNames(layer, part).past, tensors[part]);
      }
    }
  }

  /** Writes tokens into a slot that holds `start` tokens. */
  append(slot: number, start: number, { tokens, parts }: CacheSnapshot): void {
    const bytes = tokens * this.#vectorBytes;
    for (const [index, part] of parts.entries()) {
      for (let head = 0; head < this.#heads; head++) {
        this.#vectors(index, slot, head, start + tokens)
          .subarray(start * this.#vectorBytes)
          .set(part.subarray(head * bytes, (head + 1) * bytes));
      }
    }
  }

  /** Returns a copy of the first `tokens` tokens of a slot. */
  async save(slot: number, tokens: number): Promise<CacheSnapshot> {
    const length = this.#heads * tokens * this.#vectorBytes;
    const parts = Array.from(
      { length: this.#parts },
      () => new Uint8Array(length),
    );
    await this.#eachPart(tokens, (index) => {
      for (let head = 0; head < this.#heads; head++) {
        parts[index]!.set(
          this.#vectors(index, slot, head, tokens),
          head * tokens * this.#vectorBytes,
        );
      }
    });
    return { tokens, parts };
  }

  /** Writes the first `tokens` tokens of a snapshot into a slot. */
  async restore(
    slot: number,
    snapshot: CacheSnapshot,
    tokens: number,
  ): Promise<void> {
    await this.#eachPart(tokens, (index) => {
      for (let head = 0; head < this.#heads; head++) {
        const start = head * snapshot.tokens * this.#vectorBytes;
        this.#vectors(index, slot, head, tokens).set(
          snapshot.parts[index]!.subarray(
            start,
            start + tokens * this.#vectorBytes,
          ),
        );
      }
    });
  }

  /** Copies the first `tokens` tokens of one slot to another. */
  async copy(from: number, to: number, tokens: number): Promise<void> {
    await this.#eachPart(tokens, (index) => {
      for (let head = 0; head < this.#heads; head++) {
        this.#vectors(index, to, head, tokens)
          .set(this.#vectors(index, from, head, tokens));
      }
    });
  }

  /** Releases the memory of a slot; its contents are lost. */
  trim(slot: number): void {
    const bytes = this.#heads * this.positions * this.#vectorBytes;
    for (let index = 0; index < this.#parts; index++) {
      this.#memory.releasePages(index * this.#partBytes + slot * bytes, bytes);
    }
  }

  /** Frees everything; bindings that use it must be disposed of first. */
  [Symbol.dispose](): void {
    for (const { key, value } of [...this.#views.values()].flat()) {
      key[Symbol.dispose]();
      value[Symbol.dispose]();
    }
    this.#views.clear();
    this.#resources.dispose();
  }

  get #heads(): number {
    return this.#config.keyValueHeads;
  }

  /** Number of keys and values of all layers. */
  get #parts(): number {
    return 2 * this.#config.layers;
  }

  async #eachPart(
    tokens: number,
    body: (index: number) => void,
  ): Promise<void> {
    const bytes = this.#heads * tokens * this.#vectorBytes;
    let copied = 0;
    for (let index = 0; index < this.#parts; index++) {
      body(index);
      copied += bytes;
      if (copied < PIECE_BYTES) continue;
      copied = 0;
      await delay(0);
    }
  }

  /** Returns `[tokens, D]` of one head of a slot. */
  #vectors(
    index: number,
    slot: number,
    head: number,
    tokens: number,
  ): Uint8Array<ArrayBuffer> {
    const row = (slot * this.#heads + head) * this.positions;
    return new Uint8Array(
      this.#memory.buffer,
      index * this.#partBytes + row * this.#vectorBytes,
      tokens * this.#vectorBytes,
    );
  }

  #view(first: number, rows: number): LayerTensors[] {
    const name = `${first}+${rows}`;
    let view = this.#views.get(name);
    if (view === undefined) {
      view = Array.from({ length: this.#config.layers }, (_, layer) => ({
        key: this.#slice(2 * layer, first, rows),
        value: this.#slice(2 * layer + 1, first, rows),
      }));
      this.#views.set(name, view);
    }
    return view;
  }

  #slice(index: number, first: number, rows: number): Tensor {
    const { headSize } = this.#config;
    const row = this.#heads * this.positions * this.#vectorBytes;
    return this.#runtime.tensor(
      new Uint8Array(
        this.#memory.buffer,
        index * this.#partBytes + first * row,
        rows * row,
      ),
      [rows, this.#heads, this.positions, headSize],
      this.dtype,
    );
  }
}
