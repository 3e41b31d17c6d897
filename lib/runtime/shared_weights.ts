/**
 * The shared weights: several sessions of a checkpoint read them from the same
 * memory.
 *
 * ```text
 * file ─▶ mapped ───────────────────┐
 *           └▶ cast, once, if the    ├─▶ initializers of every session
 *              computing type differs┘         └▶ packed by kernels, once
 * ```
 *
 * A decoder has a graph for each arrangement of rows; without sharing, each
 * would pack or cast its own copy of all weights. On a device, all sessions
 * share one copy in its memory.
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

/** Holds weights by their location in files and their type. */
export class SharedWeights implements WeightStore, Disposable {
  readonly #api: OrtApi;
  readonly #runtime: GraphRunner;
  readonly #device: DeviceMemory | undefined;
  readonly #memory: NativeMemory;
  readonly #hostMemory: Pointer;
  readonly #root: string;
  readonly #files = new Map<string, MappedBytes>();
  readonly #tensors = new Map<string, Promise<Tensor>>();
  readonly #resources = new DisposableStack();
  /** Names, to which sessions keep pointers. */
  readonly #names: Uint8Array<ArrayBuffer>[] = [];
  /** Containers of packed weights, by the part of the model. */
  readonly #packed = new Map<number, Pointer>();

  /**
   * Creates the store; use `Runtime.sharedWeights` instead.
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
  }

  /**
   * Returns the container of packed weights that sessions of a part share. Only
   * one session at a time packs into a container.
   */
  packed(part: number): Pointer {
    let container = this.#packed.get(part);
    if (container === undefined) {
      const made = this.#api.create("CreatePrepackedWeightsContainer");
      this.#resources.defer(() =>
        this.#api.release("ReleasePrepackedWeightsContainer", made)
      );
      this.#packed.set(part, container = made);
    }
    return container;
  }

  /**
   * Adds `weights` to the options of a session.
   *
   * @throws {RuntimeError} If a file cannot be mapped.
   */
  async supply(
    options: Pointer,
    weights: readonly SuppliedWeight[],
  ): Promise<void> {
    for (const weight of weights) {
      this.pass(options, weight.name, await this.tensor(weight));
    }
  }

  /** Passes a tensor to the session that `options` will create. */
  pass(options: Pointer, name: string, tensor: Tensor): void {
    const encoded = cString(name);
    this.#names.push(encoded);
    this.#api.call("AddInitializer", options, encoded, tensor.value);
  }

  /**
   * Reads weights ahead, in the order in which a session loads them, so that it
   * packs one while the next are read. Cast weights have already been read.
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
   * Releases the file pages that loading has read. Packed weights are not read
   * again; others are read again on the next access.
   */
  releasePages(): void {
    for (const file of this.#files.values()) file.releasePages();
  }

  /** Frees everything; the sessions that use it must be closed. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /**
   * Returns a weight as a tensor for bindings, in the described type and
   * arrangement. The store disposes of it.
   *
   * @throws {RuntimeError} If its file cannot be mapped.
   */
  async tensor(weight: SuppliedWeight): Promise<Tensor> {
    const { dtype, stored, transposed } = weight;
    const place = `${stored.location}@${stored.offset}+${stored.length}`;
    const key = `${place}:${dtype}${transposed ? "ᵀ" : ""}`;
    let tensor = this.#tensors.get(key);
    if (tensor === undefined) {
      tensor = this.#open(weight);
      this.#tensors.set(key, tensor);
      tensor.catch(() => this.#tensors.delete(key));
    }
    return await tensor;
  }

  async #open(weight: SuppliedWeight): Promise<Tensor> {
    const { stored } = weight;
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
    return this.#resources.use(await this.#onDevice(mapped, weight));
  }

  /** Returns the tensor that sessions read, in the requested type. */
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
