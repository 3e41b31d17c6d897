/**
 * The parts of a graph that its encoder writes: ports and attributes.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";

/** An attribute: an integer is a number, a float is wrapped. */
export type Attribute =
  | number
  | string
  | { readonly float: number }
  | { readonly dtype: Dtype }
  | readonly number[];

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** An input or output of a graph. */
export interface Port {
  /** Name that a session binds. */
  readonly name: string;
  /** Element type. */
  readonly dtype: Dtype;
  /** Dimensions, outermost first; undefined if even their number is open. */
  readonly shape: readonly Side[] | undefined;
}

/** A side of a shape, known (number) or named (string). */
export type Side = number | string;
