/**
 * The worker that converts chunks, one at a time.
 *
 * @module
 */

import { Moved, serveMethods } from "../async/worker_methods.ts";
import type { Conversion } from "./recipe.ts";
import { convert } from "./convert.ts";

/** A chunk to convert. */
export interface Job {
  /** Bytes of the chunk, transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Type of the elements. */
  readonly dtype: string;
  /** Conversion of the chunk. */
  readonly conversion: Conversion;
}

/** Methods of the thread. */
export const methods = {
  convert: (
    { bytes, dtype, conversion }: Job,
  ): Moved<readonly Uint8Array<ArrayBuffer>[]> => {
    const parts = convert(bytes, dtype, conversion);
    return new Moved(parts, parts.map(({ buffer }) => buffer));
  },
};

/** Type of the methods, for the client. */
export type ConvertMethods = typeof methods;

serveMethods(methods);
