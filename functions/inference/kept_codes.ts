/**
 * The converter of kept codes between JSON and `lib`: a grid in which null
 * marks a code that is drawn.
 *
 * @module
 */

import { drawnCount, type KeptCodes } from "../../lib/drawing/kept_codes.ts";
import { gridFields, gridFromFields } from "../http/grid_json.ts";
import { invalidField } from "../http/errors/errors.ts";
import type { Grid, KeptGrid } from "../schema/common.ts";

/**
 * Returns the kept codes of a body.
 *
 * @param pointer JSON pointer to the field.
 * @throws {InvalidFieldsError} If a row or code is invalid, which it names, or
 * no code is to be drawn.
 */
export function keptFromFields(
  field: KeptGrid,
  pointer: string,
  codebookSize: number,
): KeptCodes {
  const { codes } = field;
  const filled: Grid = {
    ...field,
    codes: codes.map((row) => row.map((code) => code ?? 0)),
  };
  const kept = {
    ...gridFromFields(filled, pointer, codebookSize),
    kept: Uint8Array.from(codes.flat(), (code) => code === null ? 0 : 1),
  };
  if (drawnCount(kept) > 0) return kept;
  throw invalidField(
    `${pointer}/codes`,
    "expected at least one null, for a code to generate",
  );
}

/** Returns `keep` in the form of a body. */
export function keptFields(keep: KeptCodes): KeptGrid {
  const { height, width, codes } = gridFields(keep);
  return {
    height,
    width,
    codes: codes.map((row, y) =>
      row.map((code, x) => keep.kept[y * width + x] === 1 ? code : null)
    ),
  };
}
