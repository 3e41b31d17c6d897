/**
 * The errors of preparing data and of reading prepared sets.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";

/** Options of an error of preparation. */
interface PreparationErrorOptions extends ErrorOptions {
  /** True if the same run may succeed later; false by default. */
  readonly transient?: boolean;
}

/** An error of input, output or settings that ends a run. */
export class PreparationError extends Emu3Error {
  /** True if the same run may succeed later. */
  readonly transient: boolean;

  /** Creates an error from its reason. */
  constructor(
    /** Fault and remedy, without the words before them. */
    readonly reason: string,
    { transient = false, ...options }: PreparationErrorOptions = {},
  ) {
    super("cannot-prepare", `Cannot prepare data: ${reason}`, options);
    this.transient = transient;
  }
}

/** Remedy for a file that a prepared set lists and lacks. */
export const MISSING_PART = "restore it, or prepare the set again";

/** An error for a prepared set, or a file of it, that cannot be read. */
export class PreparedSetError extends Emu3Error {
  /** Creates an error about the file or folder `path`. */
  constructor(
    /** The file or folder at fault. */
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super("bad-prepared-set", `Cannot open ${path}: ${message}`, options);
  }
}
