/**
 * The fields of a grid in JSON.
 *
 * @module
 */

/** A grid in the form of a body. */
export interface GridFields {
  /** Number of rows. */
  readonly height: number;
  /** Number of codes in a row. */
  readonly width: number;
  /** Codes row by row. */
  readonly codes: number[][];
}
