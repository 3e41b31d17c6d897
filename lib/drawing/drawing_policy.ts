/**
 * The choice of the policy that draws a picture by a given strategy.
 *
 * @module
 */

import type { Vocabulary } from "../vocabulary.ts";
import { AutoregressiveDrawing } from "./autoregressive.ts";
import type { DrawingOptions, DrawingPolicy } from "./drawing.ts";
import { DrawnGrid, type DrawnRow } from "./drawn_grid.ts";
import { JacobiDrawing } from "./jacobi.ts";
import { ZiparDrawing } from "./zipar.ts";

/**
 * Creates a policy that starts after the given rows; `onRow` is called with
 * each row, from the top.
 */
export function drawingPolicy(
  vocabulary: Vocabulary,
  options: DrawingOptions,
  onRow: (row: DrawnRow) => void,
): DrawingPolicy {
  const { strategy } = options;
  const drawn = new DrawnGrid(vocabulary, options, onRow);
  switch (strategy.name) {
    case "autoregressive":
      return new AutoregressiveDrawing(drawn, options);
    case "jacobi":
      return new JacobiDrawing(
        drawn,
        options,
        strategy.window,
        strategy.controller,
      );
    case "zipar":
      return new ZiparDrawing(drawn, options, strategy.window);
  }
}
