/**
 * The edits of a grid of codes. Grids are immutable, so that every edit can be
 * undone.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ height: number, width: number, codes: Uint16Array }} Grid
 * Codes, row by row.
 *
 * @typedef {{ row: number, column: number, height: number, width: number }} Patch
 * A rectangle of cells.
 */

/**
 * @param {{ codes: readonly (readonly number[])[] }} rows Rows in the API's
 *   format.
 * @returns {Grid}
 */
export function gridOf({ codes }) {
  return {
    height: codes.length,
    width: codes[0]?.length ?? 0,
    codes: Uint16Array.from(codes.flat()),
  };
}

/**
 * @param {Grid} grid
 * @returns {number[][]} Rows in the API's format.
 */
export function rowsOf({ height, width, codes }) {
  return Array.from(
    { length: height },
    (_, row) => [...codes.subarray(row * width, (row + 1) * width)],
  );
}

/**
 * Returns the patch between two opposite corners, in either order.
 *
 * @param {{ row: number, column: number }} a
 * @param {{ row: number, column: number }} b
 * @returns {Patch}
 */
export function patchBetween(a, b) {
  return {
    row: Math.min(a.row, b.row),
    column: Math.min(a.column, b.column),
    height: Math.abs(a.row - b.row) + 1,
    width: Math.abs(a.column - b.column) + 1,
  };
}

/**
 * Copies the codes of a patch into a grid of its own.
 *
 * @param {Grid} grid
 * @param {Patch} patch Patch inside the grid.
 * @returns {Grid}
 */
export function cut(grid, { row, column, height, width }) {
  const codes = new Uint16Array(height * width);
  for (let y = 0; y < height; y++) {
    const start = (row + y) * grid.width + column;
    codes.set(grid.codes.subarray(start, start + width), y * width);
  }
  return { height, width, codes };
}

/**
 * Returns `grid` with `piece` pasted at a cell; what exceeds the grid is
 * dropped.
 *
 * @param {Grid} grid
 * @param {Grid} piece
 * @param {{ row: number, column: number }} at
 * @returns {Grid}
 */
export function pasted(grid, piece, { row, column }) {
  const codes = grid.codes.map((code, i) => {
    const y = Math.floor(i / grid.width) - row;
    const x = i % grid.width - column;
    const inside = y >= 0 && y < piece.height && x >= 0 && x < piece.width;
    return inside ? piece.codes[y * piece.width + x] ?? code : code;
  });
  return { ...grid, codes };
}

/**
 * Returns the grid with a patch filled with one code.
 *
 * @param {Grid} grid
 * @param {Patch} patch
 * @param {number} code
 * @returns {Grid}
 */
export function painted(grid, { row, column, height, width }, code) {
  const codes = new Uint16Array(height * width).fill(code);
  return pasted(grid, { height, width, codes }, { row, column });
}

/**
 * Returns the grid with a patch moved elsewhere; `behind` fills its old cells.
 *
 * @param {Grid} grid
 * @param {Patch} patch
 * @param {{ row: number, column: number }} to
 * @param {number} behind
 * @returns {Grid}
 */
export function moved(grid, patch, to, behind) {
  return pasted(painted(grid, patch, behind), cut(grid, patch), to);
}

/**
 * Returns the grid with two patches of one size swapped.
 *
 * @param {Grid} grid
 * @param {Patch} patch
 * @param {{ row: number, column: number }} other
 * @returns {Grid}
 */
export function swapped(grid, patch, other) {
  const there = fitted(grid, { ...patch, ...other });
  const here = { ...patch, height: there.height, width: there.width };
  const half = pasted(grid, cut(grid, there), here);
  return pasted(half, cut(grid, here), there);
}

/**
 * Clips a patch to the grid.
 *
 * @param {Grid} grid
 * @param {Patch} patch
 * @returns {Patch}
 */
export function fitted(grid, { row, column, height, width }) {
  return {
    row,
    column,
    height: Math.min(height, grid.height - row),
    width: Math.min(width, grid.width - column),
  };
}

/**
 * Counts the cells that differ.
 *
 * @param {Grid} a
 * @param {Grid} b Grid of the same size.
 */
export function changes(a, b) {
  return a.codes.filter((code, i) => code !== b.codes[i]).length;
}

/**
 * Parses rows of numbers into a grid.
 *
 * @param {string} text
 * @returns {Grid}
 */
export function parseRows(text) {
  const rows = text.trim().split("\n").map((row) =>
    row.trim().split(/[\s,]+/).map(Number)
  );
  const width = rows[0]?.length ?? 0;
  const uneven = rows.findIndex((row) => row.length !== width);
  if (uneven !== -1) {
    throw new RangeError(
      `Cannot read codes: row ${uneven + 1} has ${rows[uneven]?.length}, ` +
        `the first has ${width}`,
    );
  }
  const stray = rows.findIndex((row) =>
    row.some((code) => !Number.isInteger(code) || code < 0 || code > 0xffff)
  );
  if (stray !== -1) {
    throw new RangeError(
      `Cannot read codes: row ${stray + 1} has a value that is not a code`,
    );
  }
  return gridOf({ codes: rows });
}

/**
 * @param {Grid} grid
 * @returns {string} A line per row, with aligned columns.
 */
export function formatRows(grid) {
  const width = `${Math.max(...grid.codes)}`.length;
  return rowsOf(grid)
    .map((row) => row.map((code) => `${code}`.padStart(width)).join(" "))
    .join("\n");
}
