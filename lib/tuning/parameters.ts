/**
 * The trained parameters: their values, gradients and moments, each kind in
 * one vector.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { uniformAt } from "../sampling/random.ts";
import type { TuningMemory, TuningVector } from "./memory/tuning_memory.ts";
import type { TunedParameter } from "./method.ts";

/** A parameter and its place. */
export interface PlacedParameter extends TunedParameter {
  /** Index of its first element in each vector. */
  readonly offset: number;
}

/** The vectors of a run. */
export const PARAMETER_VECTORS = [
  "values",
  "gradients",
  "first",
  "second",
] as const;

/** A kind of vector. */
export type ParameterVector = typeof PARAMETER_VECTORS[number];

/** Elements at whose multiples parameters begin, a line of a processor's cache. */
const ALIGNED = 16;

/** Holds the parameters of a run. */
export class Parameters implements Disposable {
  readonly #vectors: Readonly<Record<ParameterVector, TuningVector>>;
  readonly #byName: ReadonlyMap<string, PlacedParameter>;
  readonly #tensors = new Map<string, Tensor>();
  /** All parameters in the order of their places. */
  readonly list: readonly PlacedParameter[];

  private constructor(
    list: readonly PlacedParameter[],
    vectors: Readonly<Record<ParameterVector, TuningVector>>,
  ) {
    this.list = list;
    this.#vectors = vectors;
    this.#byName = new Map(list.map((placed) => [placed.name, placed]));
  }

  /** Allocates zeros for `parameters`. */
  static async allocate(
    memory: TuningMemory,
    parameters: readonly TunedParameter[],
  ): Promise<Parameters> {
    const { list, length } = placed(parameters);
    using opened = new DisposableStack();
    const vectors: [ParameterVector, TuningVector][] = [];
    for (const kind of PARAMETER_VECTORS) {
      vectors.push([kind, opened.use(await memory.vector(list, length))]);
    }
    opened.move();
    const record = Object.fromEntries(vectors);
    return new Parameters(
      list,
      record as Record<ParameterVector, TuningVector>,
    );
  }

  /** Number of elements of all parameters. */
  get count(): number {
    return this.list.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  }

  /** Returns the vector of a kind. */
  vector(kind: ParameterVector): TuningVector {
    return this.#vectors[kind];
  }

  /** Returns true if `name` is trained. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Returns a parameter and its place. */
  placed(name: string): PlacedParameter {
    const parameter = this.#byName.get(name);
    if (parameter === undefined) {
      throw new TypeError(`parameter "${name}" is not trained`);
    }
    return parameter;
  }

  /** Returns the tensor of a parameter, in the vector of a kind. */
  tensor(kind: ParameterVector, name: string): Tensor {
    const key = `${kind} ${name}`;
    let tensor = this.#tensors.get(key);
    if (tensor === undefined) {
      const { offset, shape } = this.placed(name);
      tensor = this.#vectors[kind].part(offset, shape);
      this.#tensors.set(key, tensor);
    }
    return tensor;
  }

  /**
   * Overwrites adapters with their start: A uniform within ±1/√in, which is
   * PEFT's Kaiming start of `a = √5`, and B zero.
   */
  async startAdapters(seed: number): Promise<void> {
    for (const [stream, { name, shape, offset }] of this.list.entries()) {
      if (!name.endsWith("lora_A.weight")) continue;
      const bound = 1 / Math.sqrt(shape[1]!);
      const values = Float32Array.from(
        { length: elementCount(shape) },
        (_, i) => (uniformAt({ seed, stream }, i) * 2 - 1) * bound,
      );
      await this.#vectors.values.write(offset, values);
    }
  }

  /** Returns copies of all parameters' values by name. */
  async values(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const all = await this.#vectors.values.read();
    return new Map(
      this.list.map(({ name, shape, offset }) => [
        name,
        all.slice(offset, offset + elementCount(shape)),
      ]),
    );
  }

  /** Frees all vectors. */
  [Symbol.dispose](): void {
    for (const vector of Object.values(this.#vectors)) {
      vector[Symbol.dispose]();
    }
  }
}

/** Returns the place of each parameter, and the length of a vector. */
function placed(
  parameters: readonly TunedParameter[],
): { list: PlacedParameter[]; length: number } {
  let length = 0;
  const list = parameters.map((parameter) => {
    const offset = length;
    const count = elementCount(parameter.shape);
    length += Math.ceil(count / ALIGNED) * ALIGNED;
    return { ...parameter, offset };
  });
  return { list, length };
}
