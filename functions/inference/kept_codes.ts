/**
 * The codes that stay, between the wire and `lib`: a grid in which null stands
 * for a code that is drawn.
 *
 * @module
 */

import { drawnCount, type KeptCodes } from "../../lib/drawing/kept_codes.ts";
import { gridFields, gridFromFields } from "../http/grid_json.ts";
import { invalidField } from "../http/errors/errors.ts";
import type { Grid, KeptGrid } from "../schema/common.ts";

/**
 * Returns the codes that a body wants to stay.
 *
 * @param pointer Where in the body.
 * @throws {InvalidFieldsError} Naming the row or code at fault, or when none is
 * left to draw.
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
  throw invalidField(`${pointer}/codes`, "expected a null, for a code to draw");
}

/** Returns `keep` as it stands in a body. */
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
