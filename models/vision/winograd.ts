/**
 * Winograd's convolutions, in standard operators: 3 × 3 of stride 1, of a
 * picture or of the doubled picture.
 *
 * ```text
 * x [1, C, H, W]   ─▶ tiles   [C, P, T] ─┐
 * weight [K · C, 9] ─▶ filter [P, K, C] ─┴▶ products [P, K, T]
 *   ─▶ along rows [√P, K · rows, W] ─▶ along columns ─▶ y [1, K, H, W]
 * ```
 *
 * A tile of 4 × 4 outputs takes 6 × 6 inputs and P = 36 products, a quarter of
 * those of a direct convolution. Of the doubled picture, whose pixels repeat, a
 * tile of 4 × 4 gives 8 × 8 outputs by P = 100 products instead of 576, and the
 * doubled picture never exists.
 *
 * Tiles and products take 4.5 times the memory of the picture, so that strips of
 * rows are computed one after the other. The filter is transformed in each run:
 * weights stay mapped, if the session does not fold constants. The
 * transforms of outputs arrange them: no operator moves pixels.
 *
 * Rounding errors are four times those of a direct convolution: 7 · 10⁻⁷ in a
 * picture of unit variance.
 *
 * Shapes: C channels in, K out, H × W pixels, T tiles.
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

/** The shape of the pictures that are divided into tiles. */
export interface TilingShape {
  /** Number of strips, at most a fourth of the rows. */
  readonly strips: number;
  /** True if the sides may be no multiple of 4. */
  readonly uneven: boolean;
}

/** The shape of the pictures of a level. */
export interface WinogradShape extends TilingShape {
  /** Number of strips of a doubled picture, at most a fourth of the rows. */
  readonly doubledStrips: number;
}

/** The channels of a convolution. */
export interface Channels {
  /** Number of channels in. */
  readonly from: number;
  /** Number of channels out. */
  readonly to: number;
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

/**
 * Adds convolutions of pictures of equal sides, which share what depends on the
 * sides alone: each node takes time when a session opens.
 */
export class Winograd {
  readonly #same: Tiling;
  readonly #doubled: Tiling;

  /** Prepares convolutions of pictures of one level. */
  constructor(g: Graph, shape: WinogradShape) {
    this.#same = new Tiling(g, shape, SAME);
    const doubled = { ...shape, strips: shape.doubledStrips };
    this.#doubled = new Tiling(g, doubled, DOUBLED);
  }

  /** Adds a convolution, `[1, from, H, W]` → `[1, to, H, W]`, with bias. */
  same(x: Value, name: string, channels: Channels): Value {
    return this.#same.conv(x, name, channels);
  }

  /**
   * Adds a convolution of the doubled picture, `[1, from, H, W]` → `[1, to, 2H,
   * 2W]`, with bias.
   */
  doubled(x: Value, name: string, channels: Channels): Value {
    return this.#doubled.conv(x, name, channels);
  }
}

/** Adds the parts of convolutions in tiles. */
class Tiling {
  readonly #g: Graph;
  readonly #shape: TilingShape;
  readonly #maps: TileMaps;
  /** Values that convolutions share, by their purpose. */
  readonly #shared = new Map<string, Value>();

  constructor(g: Graph, shape: TilingShape, maps: TileMaps) {
    this.#g = g;
    this.#shape = shape;
    this.#maps = maps;
  }

  /** Adds the convolution whose weights are in scope `name`. */
  conv(x: Value, name: string, channels: Channels): Value {
    const g = this.#g;
    return g.scope(name, () => {
      const { to } = channels;
      const filter = this.#filter(channels);
      const parts = this.#strips(x).map((rows, strip) => {
        const tiles = this.#tiles(rows, strip);
        const inputs = g.apply("Reshape", [tiles, g.integers(0, 0, -1)]); // [C, P, T]
        const products = g.apply("FusedMatMul", [filter, inputs], {
          transBatchB: 1,
        }); // [P, K, T]
        const across = this.#across(products, tiles);
        return this.#pictures(this.#down(across, strip, to), to);
      });
      const whole = parts.length === 1
        ? parts[0]!
        : g.apply("Concat", parts, { axis: 2 });
      const bias = g.weightAs("bias", [to], [to, 1, 1]);
      return g.apply("Add", [this.#cropped(x, whole), bias]);
    });
  }

  /** Returns the value that `add` adds for the first convolution. */
  #once(purpose: string, add: () => Value): Value {
    let value = this.#shared.get(purpose);
    if (value === undefined) {
      value = add();
      this.#shared.set(purpose, value);
    }
    return value;
  }

  /** Adds the transformed filter U, `[P, K, C]`. */
  #filter({ from, to }: Channels): Value {
    const g = this.#g;
    const { filter } = this.#maps;
    const products = filter.length ** 2;
    const weight = g.weightAs("weight", [to, from, FILTER, FILTER], [
      to * from,
      FILTER ** 2,
    ]);
    const map = this.#once("filter", () => {
      const shape = [products, FILTER ** 2];
      return g.floats(kronecker(filter, filter), shape);
    });
    const product = g.apply("FusedMatMul", [map, weight], { transB: 1 });
    return g.apply("Reshape", [product, g.integers(products, to, from)]);
  }

  /** Adds the rows that each strip reads, `[1, C, ·, W]`. */
  #strips(x: Value): readonly Value[] {
    const g = this.#g;
    const { strips } = this.#shape;
    if (strips === 1) return [x];
    const height = this.#once(
      "height",
      () => g.apply("Shape", [x], { start: 2, end: 3 }),
    );
    return Array.from({ length: strips }, (_, strip) => {
      const begin = strip === 0 ? g.integers(0) : this.#row(height, strip, -1);
      const end = strip === strips - 1
        ? height
        : this.#row(height, strip + 1, 1);
      return g.apply("Slice", [x, begin, end, g.integers(2)]);
    });
  }

  /** Returns the row at `offset` from the first one of a strip, `[1]`. */
  #row(height: Value, strip: number, offset: number): Value {
    const g = this.#g;
    const tileRows = this.#once("tile rows", () => {
      const rounded = g.apply("Add", [height, g.integers(TILE - 1)]);
      return g.apply("Div", [rounded, g.integers(TILE)]);
    });
    return this.#once(`row ${strip} ${offset}`, () => {
      const share = g.apply("Mul", [tileRows, g.integers(strip)]);
      const tile = g.apply("Div", [share, g.integers(this.#shape.strips)]);
      const row = g.apply("Mul", [tile, g.integers(TILE)]);
      return g.apply("Add", [row, g.integers(offset)]);
    });
  }

  /**
   * Adds the transformed tiles of a strip, by a convolution that sees channels
   * as pictures: `[C, P, rows of tiles, columns]`.
   */
  #tiles(rows: Value, strip: number): Value {
    const g = this.#g;
    const { strips } = this.#shape;
    const { input } = this.#maps;
    const pictures = g.apply("Reshape", [rows, g.integers(-1, 1, 0, 0)]);
    const kernel = this.#once("kernel", () => {
      const shape = [input.length ** 2, 1, WINDOW, WINDOW];
      return g.floats(kronecker(input, input), shape);
    });
    const top = strip === 0 ? 1 : 0;
    // Enough for a last tile of one row.
    const bottom = strip === strips - 1 ? TILE : 0;
    return g.apply("Conv", [pictures, kernel], {
      kernel_shape: [WINDOW, WINDOW],
      strides: [TILE, TILE],
      pads: [top, 1, bottom, TILE],
    });
  }

  /**
   * Adds the outputs along rows, `[P, K, T]` → `[√P, rows, W]`: each tile's are
   * beside each other, and tiles follow each other.
   */
  #across(products: Value, tiles: Value): Value {
    const g = this.#g;
    const { output } = this.#maps;
    const [side, points] = [output.length, output[0]!.length];
    const split = g.apply("Reshape", [
      products,
      g.integers(points, points, -1),
    ]);
    const map = this.#once("across", () => {
      const transposed = output[0]!.map((_, i) => output.map((row) => row[i]!));
      const maps = Array<Matrix>(points).fill(transposed).flat(2);
      return g.floats(Float32Array.from(maps), [points, points, side]);
    });
    const pixels = g.apply("FusedMatMul", [split, map], { transA: 1 }); // [√P, K · T, S]
    const shape = this.#once("whole rows", () => {
      const columns = g.apply("Shape", [tiles], { start: 3 });
      const width = g.apply("Mul", [columns, g.integers(side)]);
      return g.apply("Concat", [g.integers(points, -1), width], { axis: 0 });
    });
    return g.apply("Reshape", [pixels, shape]);
  }

  /**
   * Adds the outputs along columns, `[√P, rows, W]` → `[rows, S, W]`, for `to`
   * channels.
   */
  #down(pixels: Value, strip: number, to: number): Value {
    const g = this.#g;
    const { output } = this.#maps;
    const [side, points] = [output.length, output[0]!.length];
    const map = this.#once(`down ${strip} ${to}`, () => {
      const rows = g.apply("Shape", [pixels], { start: 1, end: 2 });
      return g.apply("Expand", [
        g.floats(Float32Array.from(output.flat()), [1, side, points]),
        g.apply("Concat", [rows, g.integers(1, 1)], { axis: 0 }),
      ]);
    });
    return g.apply("FusedMatMul", [map, pixels], { transBatchB: 1 });
  }

  /** Adds `[K · rows, S, W]` → `[1, K, H, W]`. */
  #pictures(outputs: Value, to: number): Value {
    const g = this.#g;
    const shape = this.#once(`pictures of ${to}`, () => {
      const width = g.apply("Shape", [outputs], { start: 2 });
      return g.apply("Concat", [g.integers(1, to, -1), width], { axis: 0 });
    });
    return g.apply("Reshape", [outputs, shape]);
  }

  /** Adds the removal of what is below and right of the picture. */
  #cropped(x: Value, y: Value): Value {
    if (!this.#shape.uneven) return y;
    const g = this.#g;
    const sides = this.#once("sides", () => {
      const factor = g.integers(this.#maps.output.length / TILE);
      return g.apply("Mul", [g.apply("Shape", [x], { start: 2 }), factor]);
    });
    return g.apply("Slice", [y, g.integers(0, 0), sides, g.integers(2, 3)]);
  }
}
