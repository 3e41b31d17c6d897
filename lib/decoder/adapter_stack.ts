/**
 * The LoRA adapters of a decoder, stacked so that each row gathers its own.
 *
 * ```text
 * A of a matrix   [r₀, K] [r₁, K] …  ─▶ [G, r, K]    ranks padded with zeros
 * B of a matrix   [M, r₀] [M, r₁] …  ─▶ [G, r, M]    transposed, times scale
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
  isMasked,
  maskName,
  rowShape,
  stackNames,
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
import type { GraphBinding } from "../runtime/graph_session.ts";
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

/** The stack of A or of B of a matrix. */
interface Stacked {
  /** Tensor to gather from, `[G, r, ·]`; `[G, K, r]` where that is needed. */
  readonly whole: Tensor;
  /** The same memory as `[G · r, ·]`, to multiply with; undefined on devices. */
  readonly flat?: Tensor;
}

/**
 * The most adapters whose products are all computed in a step. Gathering reads
 * and writes the weights of every row, which costs 16 rows about as much as
 * the products of 48 adapters.
 */
const MOST_MASKED = 32;

/** A matrix of one adapter, at its index in the stack. */
type Layered = readonly (AdaptedMatrix | undefined)[];

/** Holds the adapters of a decoder. */
export class AdapterStack implements Disposable {
  readonly #indices: ReadonlyMap<string, number>;
  readonly #adapters: readonly NamedAdapter[];
  readonly #stacked: ReadonlyMap<string, Stacked>;
  readonly #resources: DisposableStack;
  /** Shape of the stack, for graphs. */
  readonly shape: AdapterStackShape;

  private constructor(
    adapters: readonly NamedAdapter[],
    stacked: ReadonlyMap<string, Stacked>,
    masked: boolean,
    resources: DisposableStack,
  ) {
    this.#adapters = adapters;
    this.#indices = new Map(adapters.map(({ name }, i) => [name, i]));
    this.#stacked = stacked;
    this.#resources = resources;
    this.shape = { ...stackShape(adapters), masked };
  }

  /**
   * Reads adapters into the memory of the device, or of the host without one.
   *
   * @param mostMasked The most adapters whose products are all computed in
   * steps of many rows.
   * @returns Undefined if there is no adapter.
   * @throws {CheckpointError} If a file has changed since it was opened.
   */
  static async load(
    runtime: Runtime,
    adapters: readonly NamedAdapter[],
    mostMasked: number = MOST_MASKED,
  ): Promise<AdapterStack | undefined> {
    if (adapters.length === 0) return undefined;
    using resources = new DisposableStack();
    const masked = runtime.device === undefined && runtime.sharesWeights &&
      adapters.length <= mostMasked;
    const tensors = new Map<string, Stacked>();
    for (const [key, rank] of stackShape(adapters).ranks) {
      const layers = adapters.map(({ adapter }) => adapter.matrices.get(key));
      const names = stackNames(key);
      for (const [part, name] of [["a", names.a], ["b", names.b]] as const) {
        const stack = { layers, rank, part, masked };
        tensors.set(name, await stacked(runtime, resources, stack));
      }
    }
    return new AdapterStack(adapters, tensors, masked, resources.move());
  }

  /**
   * Returns the tensors that graphs of an arrangement have as constants, by
   * name.
   */
  constants(arrangement: Arrangement["type"]): ReadonlyMap<string, Tensor> {
    if (!isMasked(this.shape, arrangement)) return new Map();
    return new Map(
      [...this.#stacked].map(([name, { flat }]) => [name, flat!]),
    );
  }

  /** Binds A and B of every adapted matrix, unless they are constants. */
  bind(binding: GraphBinding, arrangement: Arrangement["type"]): void {
    if (isMasked(this.shape, arrangement)) return;
    for (const [name, { whole }] of this.#stacked) binding.input(name, whole);
  }

  /**
   * Binds the adapters of a run's rows.
   *
   * @param rows Name of each row's adapter; undefined for none.
   * @throws {TypeError} If a name has no adapter.
   */
  bindRows(
    binding: GraphBinding,
    arrangement: Arrangement["type"],
    rows: readonly (string | undefined)[],
    tensor: MakeTensor,
  ): void {
    const indices = rows.map((name) =>
      name === undefined ? undefined : this.#indexOf(name)
    );
    const bools = (name: string, data: Uint8Array<ArrayBuffer>) => {
      const shape = rowShape(
        arrangement,
        rows.length,
        data.length / rows.length,
      );
      binding.input(name, tensor(data, shape, "bool"));
    };
    bools(
      ADAPTER_USED,
      Uint8Array.from(indices, (i) => i === undefined ? 0 : 1),
    );
    if (!isMasked(this.shape, arrangement)) {
      const index = BigInt64Array.from(indices, (i) => BigInt(i ?? 0));
      binding.input(ADAPTER_INDEX, tensor(index, [rows.length]));
      return;
    }
    const { count, ranks } = this.shape;
    for (const rank of new Set(ranks.values())) {
      const mask = new Uint8Array(rows.length * count * rank);
      for (const [row, index] of indices.entries()) {
        if (index === undefined) continue;
        const start = (row * count + index) * rank;
        mask.fill(1, start, start + rank);
      }
      bools(maskName(rank), mask);
    }
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
 * Returns the bytes that adapters take in memory: their stack, on a CPU with
 * the copy that kernels pack, and the heads of their own that are not mapped as
 * they are.
 *
 * @param dtype Type in which the device computes.
 * @param onHost True on a CPU, where weights of that type stay mapped.
 */
export function adapterBytes(
  adapters: readonly Pick<NamedAdapter, "adapter">[],
  dtype: Dtype,
  onHost: boolean,
): number {
  let numbers = 0;
  for (const { adapter: { head } } of adapters) {
    if (head === undefined || onHost && head.dtype === dtype) continue;
    numbers += elementCount(head.shape);
  }
  for (const [key, rank] of stackShape(adapters).ranks) {
    const { shape: [M, K] } = adapters
      .map(({ adapter }) => adapter.matrices.get(key))
      .find((matrix) => matrix !== undefined)!;
    numbers += (onHost ? 2 : 1) * adapters.length * rank * (M + K);
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
  { layers, rank, part, masked }: {
    readonly layers: Layered;
    readonly rank: number;
    readonly part: "a" | "b";
    readonly masked: boolean;
  },
): Promise<Stacked> {
  const { shape: [M, K] } = layers.find((layer) => layer !== undefined)!;
  const { device, provider: { computeDtype: dtype, transposed } } = runtime;
  const side = part === "a" ? K : M;
  const sides = part === "a" && transposed ? [K, rank] : [rank, side];
  const shape = [layers.length, ...sides];
  using host = new DisposableStack();
  const owner = device === undefined ? resources : host;
  const bytes = elementCount(shape) * DTYPE_BYTES.float32;
  const data = new Float32Array(owner.use(runtime.allocate(bytes)).buffer);
  for (const [index, matrix] of layers.entries()) {
    if (matrix === undefined) continue;
    const target = data.subarray(
      index * rank * side,
      (index + 1) * rank * side,
    );
    if (part === "b") await fillB(target, matrix);
    else if (transposed) await fillTransposedA(target, matrix, rank);
    else target.set(await readFloats(matrix.a));
  }
  const whole = owner.use(runtime.tensor(data, shape));
  if (device !== undefined) {
    const arranged = { shape, dtype, transposed: false };
    return { whole: resources.use(await device.upload(whole, arranged)) };
  }
  if (!masked) return { whole };
  const flat = runtime.tensor(data, [layers.length * rank, side]);
  return { whole, flat: owner.use(flat) };
}

/** Writes `[r, K]` as `[K, rank]`. */
async function fillTransposedA(
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
