/**
 * The error of tuning.
 *
 * It is apart from `lib/errors.ts`: a server does not tune, so that the error
 * has no counterpart in HTTP.
 *
 * @module
 */

import { Emu3Error } from "../errors.ts";

/**
 * An error for a tuning run that cannot start or go on. Its message reads
 * `Cannot tune: <fault>: <remedy>`.
 */
export class TuningError extends Emu3Error {
  /** Creates an error from its reason. */
  constructor(
    /** Fault and remedy, without the words before them. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super("cannot-tune", `Cannot tune: ${reason}`, options);
  }
}
