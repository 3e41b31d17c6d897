/**
 * The weights that several sessions of one checkpoint read from the same
 * memory.
 *
 * ```text
 * file ─▶ mapped ───────────────────┐
 *           └▶ cast, once, if the    ├─▶ initializers of every session
 *              computing type differs┘         └▶ packed by kernels, once
 * ```
 *
 * A decoder has a graph for each arrangement of rows; without sharing each
 * would pack, or cast, a copy of all weights. On a device every weight is a
 * copy in its memory, one for all sessions.
 *
 * @module
 */

import { join } from "node:path";
import { DTYPE_BYTES, elementCount } from "../../models/graph/dtype.ts";
import type { SuppliedWeight } from "../../models/graph/built_graph.ts";
import type { OrtApi, Pointer } from "./api.ts";
import { cString } from "./api.ts";
import {
  type Arranged,
  arrangeGraph,
  type DeviceMemory,
} from "./memory/device_memory.ts";
import type { MappedBytes, NativeMemory } from "./memory/native_memory.ts";
import type { GraphRunner } from "./graph_runner.ts";
import type { WeightStore } from "./session.ts";
import { Tensor } from "./tensor.ts";

/** Holds weights by place and type. */
export class SharedWeights implements WeightStore, Disposable {
  readonly #api: OrtApi;
  readonly #runtime: GraphRunner;
  readonly #device: DeviceMemory | undefined;
  readonly #memory: NativeMemory;
  readonly #hostMemory: Pointer;
  readonly #root: string;
  readonly #files = new Map<string, MappedBytes>();
  readonly #tensors = new Map<string, Tensor>();
  readonly #resources = new DisposableStack();
  /** Names that sessions keep pointers to. */
  readonly #names: Uint8Array<ArrayBuffer>[] = [];
  /** Container of the weights that kernels have packed. */
  readonly packed: Pointer;

  /**
   * Creates the store; callers use `Runtime.sharedWeights`.
   *
   * @param root Folder that the locations of weights are relative to.
   */
  constructor(
    runtime: GraphRunner,
    device: DeviceMemory | undefined,
    api: OrtApi,
    hostMemory: Pointer,
    memory: NativeMemory,
    root: string,
  ) {
    this.#runtime = runtime;
    this.#device = device;
    this.#api = api;
    this.#hostMemory = hostMemory;
    this.#memory = memory;
    this.#root = root;
    this.packed = api.create("CreatePrepackedWeightsContainer");
    this.#resources.defer(() =>
      api.release("ReleasePrepackedWeightsContainer", this.packed)
    );
  }

  /**
   * Passes `weights` to the session that `options` will create.
   *
   * @throws {RuntimeError} If a file cannot be mapped.
   */
  async supply(
    options: Pointer,
    weights: readonly SuppliedWeight[],
  ): Promise<void> {
    for (const weight of weights) {
      const tensor = await this.tensor(weight);
      const name = cString(weight.name);
      this.#names.push(name);
      this.#api.call("AddInitializer", options, name, tensor.value);
    }
  }

  /**
   * Reads weights before a session needs them, in its order: it packs one while
   * the next ones are read. Those that are cast have been read already.
   *
   * @param signal Signal that ends the reading.
   */
  async readAhead(
    weights: readonly SuppliedWeight[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const { dtype, stored } of weights) {
      if (signal.aborted) return;
      if (stored.dtype !== dtype) continue;
      const file = this.#map(stored.location);
      await file.readAhead(stored.offset, stored.length);
    }
  }

  /**
   * Releases the pages of the files that loading has read: packed weights are
   * not read again, and others are read again when touched.
   */
  giveBack(): void {
    for (const file of this.#files.values()) file.giveBack();
  }

  /** Frees everything; the sessions that use it must be closed. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /**
   * Returns a weight for runs to bind, in the type and arrangement that it
   * describes. It lives as long as the store.
   *
   * @throws {RuntimeError} If its file cannot be mapped.
   */
  async tensor(weight: SuppliedWeight): Promise<Tensor> {
    const { dtype, stored, transposed } = weight;
    const place = `${stored.location}@${stored.offset}+${stored.length}`;
    const key = `${place}:${dtype}${transposed ? "ᵀ" : ""}`;
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const file = this.#map(stored.location);
    const address = Deno.UnsafePointer.value(file.pointer) +
      BigInt(stored.offset);
    const mapped = Tensor.at(
      this.#api,
      this.#hostMemory,
      Deno.UnsafePointer.create(address)!,
      stored.shape,
      stored.dtype,
    );
    const tensor = await this.#onDevice(mapped, weight);
    this.#resources.use(tensor);
    this.#tensors.set(key, tensor);
    return tensor;
  }

  /** Returns the memory that sessions read, in the type that they take. */
  async #onDevice(
    mapped: Tensor,
    { dtype, shape, transposed }: SuppliedWeight,
  ): Promise<Tensor> {
    const device = this.#device;
    if (device === undefined) {
      return mapped.dtype === dtype && !transposed
        ? mapped
        : await this.#cast(mapped, { dtype, shape, transposed });
    }
    using source = mapped;
    const target = await device.upload(source, { dtype, shape, transposed });
    return device.view(this.#resources.use(target));
  }

  #map(location: string): MappedBytes {
    let file = this.#files.get(location);
    if (file === undefined) {
      const path = join(this.#root, location);
      file = this.#resources.use(this.#memory.mapFile(path));
      this.#files.set(location, file);
    }
    return file;
  }

  async #cast(
    from: Tensor,
    { dtype, shape, transposed }: Arranged,
  ): Promise<Tensor> {
    using source = from;
    const count = elementCount(shape);
    const block = this.#resources.use(
      this.#memory.allocate(count * DTYPE_BYTES[dtype]),
    );
    const to = this.#runtime.tensor(
      new Uint8Array(block.buffer),
      shape,
      dtype,
    );
    await using session = await this.#runtime.session(
      arrangeGraph(source.dtype, dtype, transposed),
      { weightFolder: "/", prepack: false },
    );
    using binding = session.bind().input("x", source).output("y", to);
    await binding.run();
    return to;
  }
}
