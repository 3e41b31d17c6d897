/**
 * The Toom–Cook matrices of Winograd's convolutions.
 *
 * A tile of `m` outputs of a filter with `r` taps takes `n = m + r − 1` inputs,
 * and `n` products instead of `m · r`:
 *
 * ```text
 * outputs = Aᵀ [(G · taps) ⊙ (Bᵀ · inputs)]
 * ```
 *
 * In two dimensions each matrix is the Kronecker product with itself. Source:
 * Lavin and Gray, arXiv 1509.09308; on the choice of points, Alam et al., arXiv
 * 2201.10369.
 *
 * @module
 */

/** A matrix, its rows outermost. */
export type Matrix = readonly (readonly number[])[];

/** The linear maps of a tile of `m` outputs and a filter of `r` taps. */
export interface TileMaps {
  /** Transform of inputs, Bᵀ, `[n, n]`. */
  readonly input: Matrix;
  /** Transform of the filter, G, `[n, r]`. */
  readonly filter: Matrix;
  /** Transform of products, Aᵀ, `[m, n]`. */
  readonly output: Matrix;
}

/**
 * Returns the matrices of a tile.
 *
 * The scale between a row of Bᵀ and of G is a power of two, by which none of
 * both grows and no digit is lost.
 *
 * @param m Number of outputs.
 * @param r Number of taps.
 * @param points The m + r − 2 finite points of interpolation; the last one is
 * infinity.
 */
export function toomCook(
  m: number,
  r: number,
  points: readonly number[],
): TileMaps {
  const powers = (point: number, count: number) =>
    Array.from({ length: count }, (_, i) => point ** i);
  const rows = points.map((point, own) => {
    const others = points.filter((_, i) => i !== own);
    const divisor = others.reduce((all, other) => all * (point - other), 1);
    const input = [...coefficients(others), 0];
    const scale = 2 ** Math.round(Math.log2(Math.hypot(...input)));
    return {
      input: input.map((value) => value / scale),
      filter: powers(point, r).map((value) => value * scale / divisor),
    };
  });
  const infinite = coefficients(points);
  const scale = 2 ** Math.round(Math.log2(Math.hypot(...infinite)));
  return {
    input: [
      ...rows.map((row) => row.input),
      infinite.map((value) => value / scale),
    ],
    filter: [...rows.map((row) => row.filter), lastOnly(r, scale)],
    output: Array.from({ length: m }, (_, i) => [
      ...points.map((point) => point ** i),
      i === m - 1 ? 1 : 0,
    ]),
  };
}

/** Returns the coefficients of `Π (x − root)`, the constant first. */
function coefficients(roots: readonly number[]): readonly number[] {
  return roots.reduce<readonly number[]>((product, root) =>
    Array.from(
      { length: product.length + 1 },
      (_, i) => (product[i - 1] ?? 0) - root * (product[i] ?? 0),
    ), [1]);
}

function lastOnly(length: number, value: number): readonly number[] {
  return [...Array<number>(length - 1).fill(0), value];
}

/** Returns the product of two matrices. */
export function matrixProduct(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    b[0]!.map((_, column) =>
      row.reduce((sum, value, i) => sum + value * b[i]![column]!, 0)
    )
  );
}

/** Returns the Kronecker product, row after row. */
export function kronecker(a: Matrix, b: Matrix): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    a.flatMap((upper) =>
      b.flatMap((lower) =>
        upper.flatMap((left) => lower.map((right) => left * right))
      )
    ),
  );
}
