/**
 * The functions by which NumPy's arrays are pickled, for arrays of whole
 * numbers.
 *
 * ```text
 * _reconstruct(ndarray, (0,), b"b"), state (1, shape, dtype, fortran, bytes)
 * dtype("i8", False, True),          state (3, "<", …)
 * ```
 *
 * Source: numpy/_core/src/multiarray/methods.c, `array_reduce`.
 *
 * @module
 */

/** A table of whole numbers. */
export interface IntegerArray {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
  /** Values, row after row. */
  readonly values: readonly number[];
}

/** A function of Python, or the constructor of a class. */
export type PickledFactory = (...args: unknown[]) => unknown;

/** Returns the functions by their qualified names in Python. */
export function numpyNames(): readonly (readonly [string, PickledFactory])[] {
  const modules = ["numpy.core.multiarray", "numpy._core.multiarray"];
  return [
    ...modules.map((module) =>
      [`${module}._reconstruct`, () => new PickledArray()] as const
    ),
    ["numpy.ndarray", () => undefined],
    ["numpy.dtype", (descr) => new PickledDtype(String(descr))],
    // Protocol 2 has no bytes: they are a text of the same characters.
    [
      "_codecs.encode",
      (text) =>
        Uint8Array.from(String(text), (character) => character.charCodeAt(0)),
    ],
  ];
}

class PickledDtype {
  order = "<";

  constructor(readonly descr: string) {}

  /** Python's protocol. */
  __setstate__(state: unknown): void {
    if (Array.isArray(state)) this.order = String(state[1]);
  }
}

class PickledArray implements IntegerArray {
  height = 0;
  width = 0;
  values: readonly number[] = [];

  /** Python's protocol. */
  __setstate__(state: unknown): void {
    const [, shape, dtype, fortran, data] = Array.isArray(state) ? state : [];
    const [, kind, digits] = dtype instanceof PickledDtype
      ? /^([iu])([1248])$/.exec(dtype.descr) ?? []
      : [];
    if (
      !Array.isArray(shape) || shape.length !== 2 || kind === undefined ||
      !(data instanceof Uint8Array) || fortran === true
    ) {
      throw new SyntaxError(
        "its array does not hold whole numbers in the shape [h, w]",
      );
    }
    const bytes = Number(digits);
    [this.height, this.width] = shape;
    if (data.length !== this.height * this.width * bytes) {
      throw new SyntaxError("its array and its values differ in size");
    }
    const big = dtype.order === ">";
    this.values = Array.from(
      { length: this.height * this.width },
      (_, i) => unsigned(data.subarray(i * bytes, (i + 1) * bytes), big),
    );
  }
}

/** Returns the number in `bytes`; values outside 0 to 2⁵³ − 1 are not codes. */
function unsigned(bytes: Uint8Array, big: boolean): number {
  const ordered = big ? bytes : bytes.toReversed();
  return ordered.reduce((sum, byte) => sum * 256 + byte, 0);
}
