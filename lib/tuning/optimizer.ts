/**
 * The optimizer: AdamW over the vectors of parameters, a piece at a time.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import {
  ADAMW_SCALARS,
  type AdamwConstants,
  adamwGraph,
  squaresGraph,
} from "../../models/tuning/adamw.ts";
import { updatedName } from "../../models/tuning/matrix.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Binding, Session } from "../runtime/session.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { Parameters, ParameterVector } from "./parameters.ts";

/** Options of AdamW. */
export interface OptimizerOptions extends AdamwConstants {
  /** Factor of the decay of matrices. */
  readonly weightDecay: number;
  /** The greatest norm of all gradients; larger ones are scaled down to it. */
  readonly maxGradientNorm: number;
}

/** The most elements of a piece, so that its vectors fit into a cache. */
const PIECE = 2 ** 17;

/** A piece of the vectors. */
interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly decays: boolean;
}

/** The inputs of the update, by the vector that holds each. */
const VECTORS: readonly (readonly [string, ParameterVector])[] = [
  ["parameter", "values"],
  ["first", "first"],
  ["second", "second"],
  ["gradient", "gradients"],
];

/** Updates parameters by their gradients. */
export class Optimizer implements AsyncDisposable {
  readonly #options: OptimizerOptions;
  readonly #parameters: Parameters;
  readonly #resources: AsyncDisposableStack;
  readonly #update: readonly Binding[];
  readonly #norm: readonly Binding[];
  readonly #pieces: readonly Piece[];
  readonly #squares: Float32Array<ArrayBuffer>;
  /** Values of the inputs that change, for pieces that decay and others. */
  readonly #scalars: Readonly<Record<"decaying" | "other", ScalarInputs>>;

  private constructor(
    parameters: Parameters,
    options: OptimizerOptions,
    parts: {
      readonly resources: AsyncDisposableStack;
      readonly update: readonly Binding[];
      readonly norm: readonly Binding[];
      readonly pieces: readonly Piece[];
      readonly squares: Float32Array<ArrayBuffer>;
      readonly scalars: Readonly<Record<"decaying" | "other", ScalarInputs>>;
    },
  ) {
    this.#parameters = parameters;
    this.#options = options;
    this.#resources = parts.resources;
    this.#update = parts.update;
    this.#norm = parts.norm;
    this.#pieces = parts.pieces;
    this.#squares = parts.squares;
    this.#scalars = parts.scalars;
  }

  /** Binds the optimizer to `parameters`. */
  static async open(
    runtime: Runtime,
    parameters: Parameters,
    options: OptimizerOptions,
  ): Promise<Optimizer> {
    await using opened = new AsyncDisposableStack();
    const load = async (model: Uint8Array<ArrayBuffer>): Promise<Session> =>
      opened.use(
        await runtime.session(model, { weightFolder: "/", prepack: false }),
      );
    const adamw = await load(adamwGraph(options).model);
    const squaring = await load(squaresGraph().model);
    const pieces = piecesOf(parameters);
    const squares = new Float32Array(pieces.length);
    const scalars = {
      decaying: scalarInputs(runtime, opened),
      other: scalarInputs(runtime, opened),
    };
    const update: Binding[] = [];
    const norm: Binding[] = [];
    for (const [index, { offset, length }] of pieces.entries()) {
      const binding = opened.use(adamw.bind());
      for (const [name, kind] of VECTORS) {
        const tensor = parameters.vector(kind).part(offset, [length]);
        binding.input(name, tensor);
        if (kind !== "gradients") binding.output(updatedName(name), tensor);
      }
      update.push(binding);
      const gradient = parameters.vector("gradients").part(offset, [length]);
      const sum = opened.use(
        runtime.tensor(squares.subarray(index, index + 1), [1]),
      );
      norm.push(
        opened.use(squaring.bind())
          .input("gradient", gradient)
          .output("squares", sum),
      );
    }
    return new Optimizer(parameters, options, {
      resources: opened.move(),
      update,
      norm,
      pieces,
      squares,
      scalars,
    });
  }

  /**
   * Returns the norm of all gradients; not a number, or infinite, if one of
   * them is.
   */
  async gradientNorm(): Promise<number> {
    for (const binding of this.#norm) await binding.run();
    return Math.sqrt(this.#squares.reduce((sum, square) => sum + square, 0));
  }

  /**
   * Updates all parameters, and clears their gradients.
   *
   * @param step Number of this step, from 1.
   * @param norm Norm of all gradients.
   */
  async step(step: number, rate: number, norm: number): Promise<void> {
    const { beta1, beta2, weightDecay, maxGradientNorm } = this.#options;
    // The small number is PyTorch's, in clip_grad_norm_.
    const clip = Math.min(1, maxGradientNorm / (norm + 1e-6));
    for (const [kind, inputs] of Object.entries(this.#scalars)) {
      inputs.set({
        clip,
        decay: 1 - (kind === "decaying" ? rate * weightDecay : 0),
        rate: rate / (1 - beta1 ** step),
        correction: 1 / Math.sqrt(1 - beta2 ** step),
      });
    }
    for (const [index, binding] of this.#update.entries()) {
      const { decays } = this.#pieces[index]!;
      const { tensors } = this.#scalars[decays ? "decaying" : "other"];
      // A device copies inputs when they are bound.
      for (const [name, tensor] of tensors) binding.input(name, tensor);
      await binding.run();
    }
    await this.#parameters.vector("gradients").clear();
  }

  /** Number of pieces. */
  get pieces(): number {
    return this.#pieces.length;
  }

  /** Frees the bindings, not the parameters. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** The inputs that change from step to step. */
interface ScalarInputs {
  readonly tensors: readonly (readonly [string, Tensor])[];
  readonly set: (
    values: Readonly<Record<typeof ADAMW_SCALARS[number], number>>,
  ) => void;
}

function scalarInputs(
  runtime: Runtime,
  opened: AsyncDisposableStack,
): ScalarInputs {
  const data = ADAMW_SCALARS.map((name) => ({
    name,
    value: new Float32Array(1),
  }));
  return {
    tensors: data.map(({ name, value }) => [
      name,
      opened.use(runtime.tensor(value, [])),
    ]),
    set: (values) => {
      for (const { name, value } of data) value[0] = values[name];
    },
  };
}

/** Returns pieces of parameters of the same decay, in order. */
function piecesOf(parameters: Parameters): Piece[] {
  const pieces: Piece[] = [];
  const { apart } = parameters.vector("values");
  for (const { offset, shape, decays } of parameters.list) {
    const count = elementCount(shape);
    if (apart) {
      pieces.push({ offset, length: count, decays });
      continue;
    }
    for (let start = 0; start < count; start += PIECE) {
      const length = Math.min(PIECE, count - start);
      const last = pieces.at(-1);
      // Small neighbors share a piece, with the gap between them, which is 0.
      const end = offset + start + length;
      if (
        last !== undefined && last.decays === decays &&
        end - last.offset <= PIECE
      ) {
        pieces[pieces.length - 1] = { ...last, length: end - last.offset };
      } else {
        pieces.push({ offset: offset + start, length, decays });
      }
    }
  }
  return pieces;
}
