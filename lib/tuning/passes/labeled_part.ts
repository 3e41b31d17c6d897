/**
 * The part of a sequence that gives its loss.
 *
 * @module
 */

import { NO_LABEL, type TuningSequence } from "../sequence.ts";

/** The tokens that the loss depends on, and the positions that have labels. */
export interface LabeledPart {
  /** Tokens up to the last one that predicts a label. */
  readonly tokens: Int32Array;
  /** Positions of the tokens that predict a label. */
  readonly positions: Int32Array;
  /** Label of each. */
  readonly targets: Int32Array;
}

/** Returns the part of a sequence that gives its loss. */
export function labeledPart({ tokens, labels }: TuningSequence): LabeledPart {
  const positions: number[] = [];
  for (let i = 1; i < labels.length; i++) {
    if (labels[i] !== NO_LABEL) positions.push(i - 1);
  }
  const last = positions.at(-1) ?? 0;
  return {
    tokens: tokens.subarray(0, last + 1),
    positions: Int32Array.from(positions),
    targets: Int32Array.from(positions, (position) => labels[position + 1]!),
  };
}
