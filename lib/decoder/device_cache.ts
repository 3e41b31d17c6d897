/**
 * Keys and values of every layer in a device's memory.
 *
 * ```text
 * slot × layer × {key, value}: [1, H, capacity, D]
 *                                      └─ in blocks, as far as the slot reaches
 * ```
 *
 * A device's memory has no pages that come as they are written, and on some its
 * tensors have no parts: so each slot has tensors of its own, which are replaced
 * by larger ones when it outgrows them. Moving a slot moves its tensors; copies
 * are made on the device.
 *
 * @module
 */

import { cacheNames } from "../../models/attention.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { DeviceMemory } from "../runtime/memory/device_memory.ts";
import type { Binding } from "../runtime/session.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { Snapshot } from "./decoder.ts";
import type { CacheDtype } from "./kv_cache.ts";

/** Tokens by which a slot grows unless told otherwise. */
export const BLOCK_TOKENS = 256;

/** How large a cache may become. */
export interface DeviceCacheSize {
  /** Tokens that a slot holds at most, T. */
  readonly positions: number;
  /** Type of its elements. */
  readonly dtype: CacheDtype;
  /** Tokens by which a slot grows. */
  readonly block: number;
}

/** What a slot held: layer × {key, value}, `[1, H, tokens, D]`. */
export interface DeviceSnapshot extends Snapshot {
  /** Key, then value of each layer. */
  readonly parts: readonly Tensor[];
}

/** Tensors of a slot. */
interface SlotMemory {
  /** Tokens that all of them hold. */
  capacity: number;
  /** Key, then value of each layer. */
  readonly parts: Tensor[];
}

/** The memory of all slots, and of what was saved of them. */
export class DeviceCache implements Disposable {
  readonly #device: DeviceMemory;
  readonly #config: LanguageConfig;
  readonly #size: DeviceCacheSize;
  readonly #onReplace: (slot: number) => void;
  readonly #slots = new Map<number, SlotMemory>();
  readonly #snapshots = new Set<DeviceSnapshot>();

  /**
   * Takes no memory yet.
   *
   * @param onReplace Told before the tensors of a slot are replaced or freed:
   * bindings to them keep their memory.
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

  /** Tokens that a slot holds at most, T. */
  get positions(): number {
    return this.#size.positions;
  }

  /** Type of its elements. */
  get dtype(): CacheDtype {
    return this.#size.dtype;
  }

  /**
   * Makes room for `tokens` in a slot.
   *
   * @param held Tokens that it holds, which stay.
   * @throws {RuntimeError} When the device has too little memory; what the slot
   * holds stays.
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
      // Nothing is copied: its memory may serve the larger one.
      if (source === undefined) before?.[Symbol.dispose]();
      memory.parts[part] = await this.#copy(source, held, capacity);
      source?.[Symbol.dispose]();
    }
    memory.capacity = capacity;
  }

  /** Binds a slot as past and present of `row`; it must have room. */
  bind(binding: Binding, slot: number, row: number): void {
    const { parts } = this.#slots.get(slot)!;
    for (const [i, tensor] of parts.entries()) {
      const part = i % 2 === 0 ? "key" : "value";
      const { past, present } = cacheNames(i >> 1, part, row);
      binding.input(past, tensor);
      binding.output(present, tensor);
    }
  }

  /** A copy of the first `tokens` of a slot; to be discarded. */
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

  /** Puts the first `tokens` of a snapshot into a slot. */
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

  /** Moves what one slot holds to another, whose own memory is freed. */
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

  /** Frees everything; the bindings that use it must be gone. */
  [Symbol.dispose](): void {
    for (const slot of [...this.#slots.keys()]) this.trim(slot);
    for (const snapshot of [...this.#snapshots]) this.discard(snapshot);
  }

  get #parts(): number {
    return 2 * this.#config.layers;
  }

  /** `[1, H, capacity, D]` that begins with the first `tokens` of `source`. */
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

/** The first `tokens` rows, then any: nobody reads what is behind them. */
function rowsOf(tokens: number, capacity: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(
    { length: capacity },
    (_, i) => BigInt(Math.min(i, tokens - 1)),
  );
}
