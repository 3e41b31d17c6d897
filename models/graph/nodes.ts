/**
 * The types of ports and attributes of a graph.
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
  /** Dimensions, outermost first; undefined if their number is unknown. */
  readonly shape: readonly Side[] | undefined;
}

/** A dimension, known (number) or symbolic (string). */
export type Side = number | string;
