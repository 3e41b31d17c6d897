/**
 * The memory of a tuning run on a device: a tensor for each part of a vector.
 *
 * A device's memory cannot be divided by address everywhere, so that the parts
 * of a vector are allocated apart. Values are copied by running graphs.
 *
 * @module
 */

import { type Dtype, elementCount } from "../../../models/graph/dtype.ts";
import { clearGraph } from "../../../models/tuning/clear.ts";
import {
  arrangeGraph,
  type DeviceMemory,
} from "../../runtime/memory/device_memory.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Session } from "../../runtime/session.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import type {
  TuningMemory,
  TuningVector,
  VectorPart,
} from "./tuning_memory.ts";

/** Allocates memory of a device. */
export class DeviceTuningMemory implements TuningMemory {
  readonly #runtime: Runtime;
  readonly #device: DeviceMemory;
  readonly #sessions = new Map<string, Promise<Session>>();

  /** Creates an allocator that holds nothing. */
  constructor(runtime: Runtime, device: DeviceMemory) {
    this.#runtime = runtime;
    this.#device = device;
  }

  async vector(
    parts: readonly VectorPart[],
    length: number,
  ): Promise<TuningVector> {
    using opened = new DisposableStack();
    const owners: PartOwner[] = [];
    for (const { offset, shape } of parts) {
      const count = elementCount(shape);
      const tensor = await this.#device.allocate([count], "float32");
      owners.push({ offset, count, tensor: opened.use(tensor) });
    }
    const vector = new DeviceVector(length, owners, {
      device: this.#device,
      runtime: this.#runtime,
      session: (kind) => this.#session(kind),
    }, opened.move());
    await vector.clear();
    return vector;
  }

  async buffer(
    _name: string,
    shape: readonly number[],
    dtype: Dtype,
  ): Promise<Tensor> {
    return await this.#device.allocate(shape, dtype);
  }

  async holding(
    values: Float32Array<ArrayBuffer>,
    shape: readonly number[],
  ): Promise<Tensor> {
    using source = this.#runtime.tensor(values, shape);
    const arranged = { shape, dtype: "float32", transposed: false } as const;
    return await this.#device.upload(source, arranged);
  }

  /** Does nothing: the runtime closes the sessions. */
  [Symbol.dispose](): void {}

  #session(kind: CopyKind): Promise<Session> {
    let session = this.#sessions.get(kind);
    if (session === undefined) {
      const model = kind === "copy"
        ? arrangeGraph("float32", "float32", false)
        : clearGraph("float32").model;
      const options = { weightFolder: "/", prepack: false };
      session = this.#runtime.session(model, options);
      this.#sessions.set(kind, session);
    }
    return session;
  }
}

/** A graph that copies `x` to `y`, or clears `y`. */
type CopyKind = "copy" | "clear";

/** A part of a vector and its memory. */
interface PartOwner {
  readonly offset: number;
  readonly count: number;
  /** `[count]` */
  readonly tensor: Tensor;
}

/** The parts that copy values. */
interface CopyTools {
  readonly device: DeviceMemory;
  readonly runtime: Runtime;
  readonly session: (kind: CopyKind) => Promise<Session>;
}

/** A vector in memory of a device. */
class DeviceVector implements TuningVector {
  readonly #owners: readonly PartOwner[];
  readonly #tools: CopyTools;
  readonly #resources: DisposableStack;
  readonly length: number;

  constructor(
    length: number,
    owners: readonly PartOwner[],
    tools: CopyTools,
    resources: DisposableStack,
  ) {
    this.length = length;
    this.#owners = owners;
    this.#tools = tools;
    this.#resources = resources;
  }

  get apart(): boolean {
    return true;
  }

  part(offset: number, shape: readonly number[]): Tensor {
    const owner = this.#owners.find((owner) => owner.offset === offset);
    if (owner?.count !== elementCount(shape)) {
      throw new TypeError(`there is no part [${shape}] at ${offset}`);
    }
    const view = this.#tools.device.view(owner.tensor, shape);
    return this.#resources.use(view);
  }

  async clear(): Promise<void> {
    for (const { tensor } of this.#owners) {
      await this.#run("clear", tensor, tensor);
    }
  }

  async read(): Promise<Float32Array<ArrayBuffer>> {
    const values = new Float32Array(this.length);
    for (const { offset, count, tensor } of this.#owners) {
      const target = values.subarray(offset, offset + count);
      using host = this.#tools.runtime.tensor(target, [count]);
      await this.#run("copy", tensor, host);
    }
    return values;
  }

  async write(
    offset: number,
    values: Float32Array<ArrayBuffer>,
  ): Promise<void> {
    for (const { offset: start, count, tensor } of this.#owners) {
      const from = start - offset;
      if (from + count <= 0 || from >= values.length) continue;
      const source = values.subarray(from, from + count);
      using host = this.#tools.runtime.tensor(source, [count]);
      await this.#run("copy", host, tensor);
    }
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  async #run(kind: CopyKind, x: Tensor, y: Tensor): Promise<void> {
    const session = await this.#tools.session(kind);
    using binding = session.bind().input("x", x).output("y", y);
    await binding.run();
  }
}
