/**
 * The memory of a device: allocations that outlive sessions, and copies to,
 * within and from the device.
 *
 * ```text
 * host ─▶ upload ─▶ device ─▶ gather ─▶ device ─▶ download ─▶ host
 * ```
 *
 * ONNX Runtime allocates a device's memory through a session on the device, and
 * copies by running graphs. So two tiny graphs are kept for as long as their
 * allocations. Operations without a kernel on the device, such as bf16 on
 * WebGPU, run on the CPU, and the result is copied.
 *
 * @module
 */

import { type Dtype, elementCount } from "../../../models/graph/dtype.ts";
import { weightlessGraph } from "../../../models/graph/weightless.ts";
import { cString, type OrtApi, type Pointer } from "../api.ts";
import type { GraphRunner } from "../graph_runner.ts";
import type { Session } from "../session.ts";
import { Tensor } from "../tensor.ts";

/** The form of a copy. */
export interface Arranged {
  /** Element type. */
  readonly dtype: Dtype;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** True if the two dimensions are swapped. */
  readonly transposed: boolean;
}

/** Allocates memory of the device that a runtime's provider computes on. */
export class DeviceMemory implements AsyncDisposable {
  readonly #runtime: GraphRunner;
  readonly #api: OrtApi;
  readonly #info: Pointer;
  readonly #sessions = new Map<string, Promise<Session>>();
  #allocator: Pointer | undefined;

  /**
   * Creates the memory; use `Runtime.device` instead.
   *
   * @param name Name of the memory in ONNX Runtime.
   */
  constructor(runtime: GraphRunner, api: OrtApi, name: string) {
    this.#runtime = runtime;
    this.#api = api;
    this.#info = api.create("CreateMemoryInfo", cString(name), 0, 0, 0);
  }

  /**
   * Returns a tensor on the device with undefined contents.
   *
   * @throws {RuntimeError} If the device cannot be used or has too little
   * memory.
   */
  async allocate(shape: readonly number[], dtype: Dtype): Promise<Tensor> {
    return Tensor.allocate(
      this.#api,
      await this.#allocatorOf(dtype),
      shape,
      dtype,
    );
  }

  /** Returns a copy of `source`, which is in the host's memory. */
  async upload(
    source: Tensor,
    { shape, dtype, transposed }: Arranged,
  ): Promise<Tensor> {
    const target = await this.allocate(shape, dtype);
    try {
      await this.#arrange(source, target, transposed);
    } catch (error) {
      target[Symbol.dispose]();
      throw error;
    }
    return target;
  }

  /** Returns the numbers of `source`, which is on the device, as floats. */
  async download(source: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const { shape } = source;
    const numbers = new Float32Array(elementCount(shape));
    using target = this.#runtime.tensor(numbers, shape);
    await this.#arrange(source, target, false);
    return numbers;
  }

  async #arrange(
    source: Tensor,
    target: Tensor,
    transposed: boolean,
  ): Promise<void> {
    const session = await this.#session(
      `${source.dtype} ${target.dtype} ${transposed}`,
      () => arrangeGraph(source.dtype, target.dtype, transposed),
    );
    using binding = session.bind().input("x", source).output("y", target);
    await binding.run();
  }

  /**
   * Returns a tensor over the memory of `owner`, which must outlive it.
   * Sessions accept initializers only in memory that ONNX Runtime does not own.
   *
   * @param shape Sides of the view; the same number of elements as the owner.
   */
  view(owner: Tensor, shape: readonly number[] = owner.shape): Tensor {
    const pointer = this.#api.create("GetTensorMutableData", owner.value);
    const { dtype } = owner;
    return Tensor.at(this.#api, this.#info, pointer, shape, dtype);
  }

  /**
   * Copies some rows of `source`: row i of the result is row `rows[i]`, along
   * the third dimension.
   *
   * @param source Tensor `[·, ·, T, ·]`, on the device.
   * @param target Tensor `[·, ·, rows, ·]`, on the device; overwritten.
   */
  async gather(
    source: Tensor,
    rows: BigInt64Array<ArrayBuffer>,
    target: Tensor,
  ): Promise<void> {
    const { dtype } = source;
    const session = await this.#session(
      `rows ${dtype}`,
      () => gatherGraph(dtype),
    );
    using index = this.#runtime.tensor(rows, [rows.length]);
    using binding = session.bind()
      .input("x", source)
      .input("rows", index)
      .output("y", target);
    await binding.run();
  }

  /** Releases the device; all allocations must be freed first. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#allocator !== undefined) {
      this.#api.release("ReleaseAllocator", this.#allocator);
      this.#allocator = undefined;
    }
    for (const opened of await Promise.allSettled(this.#sessions.values())) {
      if (opened.status === "rejected") continue;
      await opened.value[Symbol.asyncDispose]();
    }
    this.#sessions.clear();
    this.#api.release("ReleaseMemoryInfo", this.#info);
  }

  async #allocatorOf(dtype: Dtype): Promise<Pointer> {
    if (this.#allocator !== undefined) return this.#allocator;
    const session = await this.#session(
      `rows ${dtype}`,
      () => gatherGraph(dtype),
    );
    this.#allocator ??= session.allocator(this.#info);
    return this.#allocator;
  }

  #session(
    name: string,
    build: () => Uint8Array<ArrayBuffer>,
  ): Promise<Session> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const options = { weightFolder: "/", prepack: false };
      session = this.#runtime.session(build(), options);
      this.#sessions.set(name, session);
    }
    return session;
  }
}

/** Returns the graph of `y = x` or `y = xᵀ`, in another type. */
export function arrangeGraph(
  from: Dtype,
  to: Dtype,
  transposed: boolean,
): Uint8Array<ArrayBuffer> {
  const g = weightlessGraph("arrange");
  const shape = transposed ? ["N", "K"] : undefined;
  const x = g.input("x", from, shape);
  const cast = from === to ? x : g.cast(x, to);
  const y = transposed ? g.apply("Transpose", [cast], { perm: [1, 0] }) : cast;
  g.output("y", y, to, shape?.toReversed());
  return g.build().model;
}

/** Returns the graph of `y[i, j, k] = x[i, j, rows[k]]`. */
function gatherGraph(dtype: Dtype): Uint8Array<ArrayBuffer> {
  const g = weightlessGraph("gather");
  const x = g.input("x", dtype, ["B", "H", "T", "D"]);
  const rows = g.input("rows", "int64", ["N"]);
  g.applyNamed("Gather", [x, rows], ["y"], { axis: 2 });
  g.declareOutput("y", dtype, ["B", "H", "N", "D"]);
  return g.build().model;
}
