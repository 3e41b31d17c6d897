/**
 * The thread that converts bands, one at a time.
 *
 * @module
 */

import { Moved, serveMethods } from "../async/worker_methods.ts";
import type { Treatment } from "./recipe.ts";
import { convert } from "./convert.ts";

/** A band to convert. */
export interface Job {
  /** Bytes of the band, transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Type of the elements. */
  readonly dtype: string;
  /** Treatment of the band. */
  readonly treatment: Treatment;
}

/** Methods of the thread. */
export const methods = {
  convert: (
    { bytes, dtype, treatment }: Job,
  ): Moved<readonly Uint8Array<ArrayBuffer>[]> => {
    const parts = convert(bytes, dtype, treatment);
    return new Moved(parts, parts.map(({ buffer }) => buffer));
  },
};

/** Type of the methods, for the client. */
export type ConvertMethods = typeof methods;

serveMethods(methods);
