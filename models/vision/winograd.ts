/**
 * Winograd's convolutions, in standard operators: 3 × 3 of stride 1, of a
 * picture or of the doubled picture.
 *
 * ```text
 * x [N, C, H, W]   ─▶ tiles   [C, P, T] ─┐
 * weight [K · C, 9] ─▶ filter [P, K, C] ─┴▶ products [P, K, T]
 *   ─▶ along rows [√P, K · N · rows, W] ─▶ along columns ─▶ y [N, K, H, W]
 * ```
 *
 * A tile of 4 × 4 outputs takes 6 × 6 inputs and P = 36 products, a quarter of
 * those of a direct convolution. Of the doubled picture, whose pixels repeat, a
 * tile of 4 × 4 gives 8 × 8 outputs by P = 100 products instead of 576, and the
 * doubled picture never exists.
 *
 * Tiles and products take 4.5 times the memory of the picture, so that strips of
 * rows are computed one after the other. The filter is transformed in each run:
 * weights stay mapped, and a session does not store their transform. The
 * transforms of outputs arrange them: no operator moves pixels.
 *
 * Rounding errors are four times those of a direct convolution: 7 · 10⁻⁷ in a
 * picture of unit variance.
 *
 * Shapes: N frames, C channels in, K out, H × W pixels, T tiles of all frames.
 * Source: Lavin and Gray, arXiv 1509.09308.
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";
import {
  kronecker,
  type Matrix,
  matrixProduct,
  type TileMaps,
  toomCook,
} from "./toom_cook.ts";

/** The shape of a Winograd convolution. */
export interface WinogradShape {
  /** Number of channels in. */
  readonly from: number;
  /** Number of channels out. */
  readonly to: number;
  /** Number of strips, at most a fourth of the rows. */
  readonly strips: number;
  /** True if the sides may be no multiple of 4. */
  readonly uneven: boolean;
  /** True if there may be several frames. */
  readonly clip: boolean;
}

/** Pixels between two tiles. */
export const TILE = 4;

/** Side of the filter. */
const FILTER = 3;

/** Side of the inputs of a tile. */
const WINDOW = TILE + FILTER - 1;

// Points with little loss of digits; the textbook's 0, ±1, ±2 lose five times
// as many.
const SAME = toomCook(TILE, FILTER, [
  0,
  Math.SQRT1_2,
  -Math.SQRT1_2,
  Math.SQRT2,
  -Math.SQRT2,
]);
const DOUBLED = doubledMaps();

/**
 * Returns the maps of a doubled picture: two times F(4, 2), for the even outputs
 * and for the odd ones. An even output reads the small pixels −1, 0, 0, an odd
 * one 0, 0, 1.
 */
function doubledMaps(): TileMaps {
  const { input, filter, output } = toomCook(TILE, 2, [0.4, -0.4, 1.2, -1.2]);
  const none = input.map(() => 0);
  return {
    input: [
      ...input.map((row) => [...row, 0]),
      ...input.map((row) => [0, ...row]),
    ],
    filter: [
      ...matrixProduct(filter, [[1, 0, 0], [0, 1, 1]]),
      ...matrixProduct(filter, [[1, 1, 0], [0, 0, 1]]),
    ],
    output: output.flatMap((row) => [[...row, ...none], [...none, ...row]]),
  };
}

/** Adds the convolution, `[N, from, H, W]` → `[N, to, H, W]`, with bias. */
export function winogradConv(
  g: Graph,
  x: Value,
  name: string,
  shape: WinogradShape,
): Value {
  return new Tiling(g, x, shape, SAME).conv(name);
}

/**
 * Adds the convolution of the doubled picture, `[N, from, H, W]` → `[N, to, 2H,
 * 2W]`, with bias.
 */
export function winogradDoubled(
  g: Graph,
  x: Value,
  name: string,
  shape: WinogradShape,
): Value {
  return new Tiling(g, x, shape, DOUBLED).conv(name);
}

/** Adds the parts of a convolution in tiles. */
class Tiling {
  readonly #g: Graph;
  readonly #x: Value;
  readonly #shape: WinogradShape;
  readonly #maps: TileMaps;

  constructor(g: Graph, x: Value, shape: WinogradShape, maps: TileMaps) {
    this.#g = g;
    this.#x = x;
    this.#shape = shape;
    this.#maps = maps;
  }

  /** Adds the convolution whose weights are in scope `name`. */
  conv(name: string): Value {
    const g = this.#g;
    return g.scope(name, () => {
      const { to, strips } = this.#shape;
      const filter = this.#filter();
      const parts = this.#strips().map((rows, strip) =>
        this.#outputs(this.#tiles(rows, strip), filter)
      );
      const whole = strips === 1
        ? parts[0]!
        : g.apply("Concat", parts, { axis: 2 });
      const bias = g.weight("bias", [to]);
      return g.apply("Add", [
        this.#cropped(whole),
        g.apply("Reshape", [bias, g.integers(to, 1, 1)]),
      ]);
    });
  }

  /** Adds the transformed filter U, `[P, K, C]`. */
  #filter(): Value {
    const g = this.#g;
    const { from, to } = this.#shape;
    const { filter } = this.#maps;
    const products = filter.length ** 2;
    const weight = g.weightAs("weight", [to, from, FILTER, FILTER], [
      to * from,
      FILTER ** 2,
    ]);
    const map = this.#unfolded(kronecker(filter, filter), [
      products,
      FILTER ** 2,
    ]);
    const product = g.apply("FusedMatMul", [map, weight], { transB: 1 });
    return g.apply("Reshape", [product, g.integers(products, to, from)]);
  }

  /** Adds the rows that each strip reads, `[N, C, ·, W]`. */
  #strips(): readonly Value[] {
    const g = this.#g;
    const { strips } = this.#shape;
    if (strips === 1) return [this.#x];
    const height = g.apply("Shape", [this.#x], { start: 2, end: 3 });
    const rounded = g.apply("Add", [height, g.integers(TILE - 1)]);
    const tileRows = g.apply("Div", [rounded, g.integers(TILE)]);
    const firstRow = (strip: number, offset: number) => {
      const share = g.apply("Mul", [tileRows, g.integers(strip)]);
      const tile = g.apply("Div", [share, g.integers(strips)]);
      const row = g.apply("Mul", [tile, g.integers(TILE)]);
      return g.apply("Add", [row, g.integers(offset)]);
    };
    return Array.from({ length: strips }, (_, strip) => {
      const begin = strip === 0 ? g.integers(0) : firstRow(strip, -1);
      const end = strip === strips - 1 ? height : firstRow(strip + 1, 1);
      return g.apply("Slice", [this.#x, begin, end, g.integers(2)]);
    });
  }

  /**
   * Adds the transformed tiles of a strip, by a convolution that sees channels
   * as pictures: `[C·N, P, rows of tiles, columns]`.
   */
  #tiles(rows: Value, strip: number): Value {
    const g = this.#g;
    const { clip, strips } = this.#shape;
    const { input } = this.#maps;
    const products = input.length ** 2;
    const channels = clip
      ? g.apply("Transpose", [rows], { perm: [1, 0, 2, 3] })
      : rows;
    const pictures = g.apply("Reshape", [channels, g.integers(-1, 1, 0, 0)]);
    const kernel = g.floats(kronecker(input, input), [
      products,
      1,
      WINDOW,
      WINDOW,
    ]);
    const top = strip === 0 ? 1 : 0;
    // Enough for a last tile of one row.
    const bottom = strip === strips - 1 ? TILE : 0;
    return g.apply("Conv", [pictures, kernel], {
      kernel_shape: [WINDOW, WINDOW],
      strides: [TILE, TILE],
      pads: [top, 1, bottom, TILE],
    });
  }

  /** Adds the outputs of a strip, `[N, K, ·, ·]`, whole tiles. */
  #outputs(tiles: Value, filter: Value): Value {
    const g = this.#g;
    const inputs = this.#framesTogether(tiles); // [C, P, T]
    const products = g.apply("FusedMatMul", [filter, inputs], {
      transBatchB: 1,
    }); // [P, K, T]
    const columns = g.apply("Shape", [tiles], { start: 3 });
    return this.#framesApart(this.#down(this.#across(products, columns)));
  }

  /**
   * Adds the outputs along rows, `[P, K, T]` → `[√P, rows, W]`: each tile's are
   * beside each other, and tiles follow each other.
   */
  #across(products: Value, tileColumns: Value): Value {
    const g = this.#g;
    const { output } = this.#maps;
    const [side, points] = [output.length, output[0]!.length];
    const split = g.apply("Reshape", [
      products,
      g.integers(points, points, -1),
    ]);
    const transposed = output[0]!.map((_, i) => output.map((row) => row[i]!));
    const map = Float32Array.from(
      Array<Matrix>(points).fill(transposed).flat(2),
    );
    const pixels = g.apply("FusedMatMul", [
      split,
      g.floats(map, [points, points, side]),
    ], { transA: 1 }); // [√P, K · T, S]
    const width = g.apply("Mul", [tileColumns, g.integers(side)]);
    const shape = g.apply("Concat", [g.integers(points, -1), width], {
      axis: 0,
    });
    return g.apply("Reshape", [pixels, shape]);
  }

  /** Adds the outputs along columns, `[√P, rows, W]` → `[rows, S, W]`. */
  #down(pixels: Value): Value {
    const g = this.#g;
    const { output } = this.#maps;
    const [side, points] = [output.length, output[0]!.length];
    const rows = g.apply("Shape", [pixels], { start: 1, end: 2 });
    const map = g.apply("Expand", [
      g.floats(Float32Array.from(output.flat()), [1, side, points]),
      g.apply("Concat", [rows, g.integers(1, 1)], { axis: 0 }),
    ]);
    return g.apply("FusedMatMul", [map, pixels], { transBatchB: 1 });
  }

  /** Adds `[C·N, P, ·, ·]` → `[C, P, T]`. */
  #framesTogether(tiles: Value): Value {
    const g = this.#g;
    const flat = g.apply("Reshape", [tiles, g.integers(0, 0, -1)]);
    if (!this.#shape.clip) return flat;
    const shape = g.apply("Concat", [
      g.integers(this.#shape.from),
      this.#frames(),
      g.integers(this.#maps.input.length ** 2, -1),
    ], { axis: 0 });
    const split = g.apply("Reshape", [flat, shape]); // [C, N, P, T / N]
    const swapped = g.apply("Transpose", [split], { perm: [0, 2, 1, 3] });
    return g.apply("Reshape", [swapped, g.integers(0, 0, -1)]);
  }

  /** Adds `[K · N · rows, S, W]` → `[N, K, H, W]`. */
  #framesApart(outputs: Value): Value {
    const g = this.#g;
    const { to, clip } = this.#shape;
    const width = g.apply("Shape", [outputs], { start: 2 });
    const count = clip ? this.#frames() : g.integers(1);
    const sides = clip ? [g.integers(to), count] : [count, g.integers(to)];
    const shape = g.apply("Concat", [...sides, g.integers(-1), width], {
      axis: 0,
    });
    const split = g.apply("Reshape", [outputs, shape]);
    return clip ? g.apply("Transpose", [split], { perm: [1, 0, 2, 3] }) : split;
  }

  /** Number of frames, `[1]`. */
  #frames(): Value {
    return this.#g.apply("Shape", [this.#x], { start: 0, end: 1 });
  }

  /** Adds the removal of what is below and right of the picture. */
  #cropped(y: Value): Value {
    if (!this.#shape.uneven) return y;
    const g = this.#g;
    const sides = g.apply("Mul", [
      g.apply("Shape", [this.#x], { start: 2 }),
      g.integers(this.#maps.output.length / TILE),
    ]);
    return g.apply("Slice", [y, g.integers(0, 0), sides, g.integers(2, 3)]);
  }

  /**
   * Adds a constant that depends on the input, by a zero: what follows it is
   * computed in each run, where a session would store all of it.
   */
  #unfolded(
    data: Float32Array<ArrayBuffer>,
    shape: readonly number[],
  ): Value {
    const g = this.#g;
    const size = g.apply("Size", [this.#x]);
    const zero = g.cast(g.apply("Mul", [size, g.scalar(0)]), g.computeDtype);
    return g.apply("Add", [g.floats(data, shape), zero]);
  }
}
