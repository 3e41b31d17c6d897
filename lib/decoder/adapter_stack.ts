/**
 * The LoRA adapters of a decoder, stacked so that each row gathers its own.
 *
 * ```text
 * A of a matrix   [r₀, K] [r₁, K] …  ─▶ [G, K, r]    transposed, ranks padded
 * B of a matrix   [M, r₀] [M, r₁] …  ─▶ [G, r, M]    with zeros, B · scale
 * ```
 *
 * A matrix that no adapter changes has no stack; adapters that do not change a
 * stacked matrix have zeros in it.
 *
 * @module
 */

import {
  ADAPTER_INDEX,
  ADAPTER_USED,
  type AdapterStackShape,
  stackNames,
  usedShape,
} from "../../models/adapter_rows.ts";
import type { Arrangement } from "../../models/attention.ts";
import {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
} from "../../models/graph/dtype.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";
import type { AdaptedMatrix, Adapter } from "../loading/adapter_files.ts";
import { readFloats } from "../loading/floats.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Binding } from "../runtime/session.ts";
import type { Tensor, TensorData } from "../runtime/tensor.ts";

/** An adapter and the name by which requests select it. */
export interface NamedAdapter {
  /** Name of the adapter. */
  readonly name: string;
  /** The adapter on disk. */
  readonly adapter: Adapter;
}

/** A function that creates tensors for one run. */
export type MakeTensor = (
  data: TensorData,
  shape: readonly number[],
  dtype?: Dtype,
) => Tensor;

/** A matrix of one adapter, at its index in the stack. */
type Layered = readonly (AdaptedMatrix | undefined)[];

/** Holds the adapters of a decoder. */
export class AdapterStack implements Disposable {
  readonly #indices: ReadonlyMap<string, number>;
  readonly #adapters: readonly NamedAdapter[];
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #resources: DisposableStack;
  /** Shape of the stack, for graphs. */
  readonly shape: AdapterStackShape;

  private constructor(
    adapters: readonly NamedAdapter[],
    tensors: ReadonlyMap<string, Tensor>,
    resources: DisposableStack,
  ) {
    this.#adapters = adapters;
    this.#indices = new Map(adapters.map(({ name }, i) => [name, i]));
    this.#tensors = tensors;
    this.#resources = resources;
    this.shape = stackShape(adapters);
  }

  /**
   * Reads adapters into the memory of the device, or of the host without one.
   *
   * @returns Undefined if there is no adapter.
   * @throws {CheckpointError} If a file has changed since it was opened.
   */
  static async load(
    runtime: Runtime,
    adapters: readonly NamedAdapter[],
  ): Promise<AdapterStack | undefined> {
    if (adapters.length === 0) return undefined;
    using resources = new DisposableStack();
    const tensors = new Map<string, Tensor>();
    for (const [key, rank] of stackShape(adapters).ranks) {
      const layers = adapters.map(({ adapter }) => adapter.matrices.get(key));
      const names = stackNames(key);
      for (const [part, name] of [["a", names.a], ["b", names.b]] as const) {
        const stack = { layers, rank, part };
        tensors.set(name, await stacked(runtime, resources, stack));
      }
    }
    return new AdapterStack(adapters, tensors, resources.move());
  }

  /** Binds A and B of every adapted matrix. */
  bind(binding: Binding): void {
    for (const [name, tensor] of this.#tensors) binding.input(name, tensor);
  }

  /**
   * Binds the adapters of a run's rows.
   *
   * @param rows Name of each row's adapter; undefined for none.
   * @throws {TypeError} If a name has no adapter.
   */
  bindRows(
    binding: Binding,
    arrangement: Arrangement["type"],
    rows: readonly (string | undefined)[],
    tensor: MakeTensor,
  ): void {
    const index = BigInt64Array.from(
      rows,
      (name) => BigInt(name === undefined ? 0 : this.#indexOf(name)),
    );
    const used = Uint8Array.from(rows, (name) => name === undefined ? 0 : 1);
    binding.input(ADAPTER_INDEX, tensor(index, [rows.length]));
    const shape = usedShape(arrangement, rows.length);
    binding.input(ADAPTER_USED, tensor(used, shape, "bool"));
  }

  /** Returns the heads of the adapters that have one, by name. */
  get heads(): ReadonlyMap<string, StoredTensor> {
    return new Map(
      this.#adapters.flatMap(({ name, adapter: { head } }) =>
        head === undefined ? [] : [[name, head] as const]
      ),
    );
  }

  /** Frees the memory. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #indexOf(name: string): number {
    const index = this.#indices.get(name);
    if (index === undefined) {
      throw new TypeError(`Cannot run adapter "${name}": it is not loaded`);
    }
    return index;
  }
}

/**
 * Returns the stack that has all adapters of `rows`; undefined if none has one.
 *
 * @throws {TypeError} If a row has an adapter, but the decoder has none.
 */
export function stackFor(
  stack: AdapterStack | undefined,
  rows: readonly { readonly adapter?: string | undefined }[],
): AdapterStack | undefined {
  const chosen = rows.find(({ adapter }) => adapter !== undefined);
  if (chosen === undefined) return undefined;
  if (stack !== undefined) return stack;
  throw new TypeError(
    `Cannot run adapter "${chosen.adapter}": no adapter is loaded`,
  );
}

/**
 * Returns the bytes that adapters take in memory: their stack, and the heads
 * of their own that are not mapped as they are.
 *
 * @param dtype Type in which the device computes.
 * @param mapped True if weights of that type stay mapped, as on a CPU.
 */
export function adapterBytes(
  adapters: readonly Pick<NamedAdapter, "adapter">[],
  dtype: Dtype,
  mapped: boolean,
): number {
  let numbers = 0;
  for (const { adapter: { head } } of adapters) {
    if (head === undefined || mapped && head.dtype === dtype) continue;
    numbers += elementCount(head.shape);
  }
  for (const [key, rank] of stackShape(adapters).ranks) {
    const { shape: [M, K] } = adapters
      .map(({ adapter }) => adapter.matrices.get(key))
      .find((matrix) => matrix !== undefined)!;
    numbers += adapters.length * rank * (M + K);
  }
  return numbers * DTYPE_BYTES[dtype];
}

function stackShape(
  adapters: readonly Pick<NamedAdapter, "adapter">[],
): AdapterStackShape {
  const ranks = new Map<string, number>();
  for (const { adapter } of adapters) {
    for (const [key, { rank }] of adapter.matrices) {
      ranks.set(key, Math.max(rank, ranks.get(key) ?? 0));
    }
  }
  return { count: adapters.length, ranks };
}

async function stacked(
  runtime: Runtime,
  resources: DisposableStack,
  { layers, rank, part }: {
    readonly layers: Layered;
    readonly rank: number;
    readonly part: "a" | "b";
  },
): Promise<Tensor> {
  const { shape: [M, K] } = layers.find((layer) => layer !== undefined)!;
  const shape = [layers.length, ...part === "a" ? [K, rank] : [rank, M]];
  const { device, provider: { computeDtype: dtype } } = runtime;
  using host = new DisposableStack();
  const owner = device === undefined ? resources : host;
  const bytes = elementCount(shape) * DTYPE_BYTES.float32;
  const data = new Float32Array(owner.use(runtime.allocate(bytes)).buffer);
  for (const [index, matrix] of layers.entries()) {
    if (matrix === undefined) continue;
    const start = index * elementCount(shape.slice(1));
    const target = data.subarray(start, start + elementCount(shape.slice(1)));
    if (part === "a") await fillA(target, matrix, rank);
    else await fillB(target, matrix);
  }
  const tensor = owner.use(runtime.tensor(data, shape));
  if (device === undefined) return tensor;
  const arranged = { shape, dtype, transposed: false };
  return resources.use(await device.upload(tensor, arranged));
}

/** Writes `[r, K]` as `[K, rank]`. */
async function fillA(
  target: Float32Array,
  { a, shape: [, K], rank: own }: AdaptedMatrix,
  rank: number,
): Promise<void> {
  const values = await readFloats(a);
  for (let r = 0; r < own; r++) {
    for (let k = 0; k < K; k++) target[k * rank + r] = values[r * K + k]!;
  }
}

/** Writes `[M, r]`, times the factor, as the first of `[rank, M]`. */
async function fillB(
  target: Float32Array,
  { b, shape: [M], rank: own, scale }: AdaptedMatrix,
): Promise<void> {
  const values = await readFloats(b);
  for (let m = 0; m < M; m++) {
    for (let r = 0; r < own; r++) {
      target[r * M + m] = values[m * own + r]! * scale;
    }
  }
}
