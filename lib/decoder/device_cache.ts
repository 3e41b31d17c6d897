/**
 * The KV cache of every layer in a device's memory.
 *
 * ```text
 * slot × layer × {key, value}: [1, H, capacity, D]
 *                                      └─ in blocks, up to the slot's length
 * ```
 *
 * A device allocates memory at once, not page by page as it is written, and
 * some devices cannot slice tensors. So each slot has its own tensors, which
 * are replaced by larger ones when they are full. Moving a slot moves its
 * tensors; copies are made on the device.
 *
 * @module
 */

import { cacheNames } from "../../models/cached_attention.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { DeviceMemory } from "../runtime/memory/device_memory.ts";
import type { GraphBinding } from "../runtime/graph_session.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { Snapshot } from "./decoder.ts";
import type { CacheDtype } from "../runtime/provider.ts";

/** Default number of tokens by which a slot grows. */
export const BLOCK_TOKENS = 256;

/** Dimensions of a device's KV cache. */
export interface DeviceCacheSize {
  /** The maximum number of tokens that a slot holds, T. */
  readonly positions: number;
  /** Element type of the cache. */
  readonly dtype: CacheDtype;
  /** Number of tokens by which a slot grows. */
  readonly block: number;
}

/** A copy of a slot: layer × {key, value}, `[1, H, tokens, D]`. */
export interface DeviceSnapshot extends Snapshot {
  /** Key, then value of each layer. */
  readonly parts: readonly Tensor[];
}

/** The tensors of a slot. */
interface SlotMemory {
  /** Number of tokens that each of them can hold. */
  capacity: number;
  /** Key, then value of each layer. */
  readonly parts: Tensor[];
}

/** Holds the memory of all slots, and of their snapshots. */
export class DeviceCache implements Disposable {
  readonly #device: DeviceMemory;
  readonly #config: LanguageConfig;
  readonly #size: DeviceCacheSize;
  readonly #onReplace: (slot: number) => void;
  readonly #slots = new Map<number, SlotMemory>();
  readonly #snapshots = new Set<DeviceSnapshot>();

  /**
   * Creates the cache; no memory is allocated yet.
   *
   * @param onReplace Called before the tensors of a slot are replaced or freed,
   * because bindings keep their memory alive.
   */
  constructor(
    device: DeviceMemory,
    config: LanguageConfig,
    size: DeviceCacheSize,
    onReplace: (slot: number) => void,
  ) {
    this.#device = device;
    this.#config = config;
    this.#size = size;
    this.#onReplace = onReplace;
  }

  /** The maximum number of tokens that a slot holds, T. */
  get positions(): number {
    return this.#size.positions;
  }

  /** Element type of the cache. */
  get dtype(): CacheDtype {
    return this.#size.dtype;
  }

  /**
   * Allocates room for `tokens` in a slot.
   *
   * @param held Number of tokens in the slot, which stay.
   * @throws {RuntimeError} If the device has too little memory; the slot keeps
   * its contents.
   */
  async reserve(slot: number, tokens: number, held: number): Promise<void> {
    const memory = this.#slots.get(slot) ?? { capacity: 0, parts: [] };
    if (memory.capacity >= tokens) return;
    this.#slots.set(slot, memory);
    this.#onReplace(slot);
    const { block, positions } = this.#size;
    const capacity = Math.min(positions, block * Math.ceil(tokens / block));
    for (let part = 0; part < this.#parts; part++) {
      const before = memory.parts[part];
      const source = held === 0 ? undefined : before;
      // Nothing is copied, so the freed memory can hold the larger tensor.
      if (source === undefined) before?.[Symbol.dispose]();
      memory.parts[part] = await this.#copy(source, held, capacity);
      source?.[Symbol.dispose]();
    }
    memory.capacity = capacity;
  }

  /** Binds a slot as past and present of `row`; its memory must be reserved. */
  bind(binding: GraphBinding, slot: number, row: number): void {
    const { parts } = this.#slots.get(slot)!;
    for (const [i, tensor] of parts.entries()) {
      const part = i % 2 === 0 ? "key" : "value";
      const { past, present } = cacheNames(i >> 1, part, row);
      binding.input(past, tensor);
      binding.output(present, tensor);
    }
  }

  /**
   * Returns a copy of the first `tokens` tokens of a slot; the caller discards
   * it.
   */
  async save(slot: number, tokens: number): Promise<DeviceSnapshot> {
    const parts: Tensor[] = [];
    const snapshot = { tokens, parts };
    this.#snapshots.add(snapshot);
    try {
      for (const source of this.#slots.get(slot)!.parts) {
        parts.push(await this.#copy(source, tokens, tokens));
      }
    } catch (error) {
      this.discard(snapshot);
      throw error;
    }
    return snapshot;
  }

  /** Writes the first `tokens` tokens of a snapshot into a slot. */
  async restore(
    slot: number,
    { parts }: DeviceSnapshot,
    tokens: number,
  ): Promise<void> {
    await this.reserve(slot, tokens, 0);
    const { capacity, parts: targets } = this.#slots.get(slot)!;
    for (const [i, target] of targets.entries()) {
      const rows = rowsOf(tokens, capacity);
      await this.#device.gather(parts[i]!, rows, target);
    }
  }

  /** Frees a snapshot. */
  discard(snapshot: DeviceSnapshot): void {
    for (const part of snapshot.parts) part[Symbol.dispose]();
    this.#snapshots.delete(snapshot);
  }

  /** Moves the contents of one slot to another, whose own memory is freed. */
  move(from: number, to: number): void {
    const memory = this.#slots.get(from);
    this.trim(to);
    if (memory === undefined) return;
    this.#onReplace(from);
    this.#slots.delete(from);
    this.#slots.set(to, memory);
  }

  /** Frees the memory of a slot. */
  trim(slot: number): void {
    const memory = this.#slots.get(slot);
    if (memory === undefined) return;
    this.#onReplace(slot);
    for (const part of memory.parts) part[Symbol.dispose]();
    this.#slots.delete(slot);
  }

  /** Frees everything; bindings that use it must be disposed of first. */
  [Symbol.dispose](): void {
    for (const slot of [...this.#slots.keys()]) this.trim(slot);
    for (const snapshot of [...this.#snapshots]) this.discard(snapshot);
  }

  get #parts(): number {
    return 2 * this.#config.layers;
  }

  /**
   * Returns `[1, H, capacity, D]` that begins with the first `tokens` of
   * `source`.
   */
  async #copy(
    source: Tensor | undefined,
    tokens: number,
    capacity: number,
  ): Promise<Tensor> {
    const { keyValueHeads, headSize } = this.#config;
    const target = await this.#device.allocate(
      [1, keyValueHeads, capacity, headSize],
      this.dtype,
    );
    if (source === undefined) return target;
    try {
      await this.#device.gather(source, rowsOf(tokens, capacity), target);
    } catch (error) {
      target[Symbol.dispose]();
      throw error;
    }
    return target;
  }
}

/**
 * Returns the indices of the first `tokens` rows, then arbitrary ones: later
 * rows are never read.
 */
function rowsOf(tokens: number, capacity: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(
    { length: capacity },
    (_, i) => BigInt(Math.min(i, tokens - 1)),
  );
}
