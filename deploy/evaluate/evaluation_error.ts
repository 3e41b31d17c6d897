/**
 * The error of evaluation, and the conversion of errors of the preparation of
 * data.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import { PreparationError } from "../prepare/preparation_error.ts";

/** An error of input or settings that ends an evaluation. */
export class EvaluationError extends Emu3Error {
  /**
   * Creates an error.
   *
   * @param reason Fault and remedy.
   */
  constructor(reason: string, options?: ErrorOptions) {
    super("cannot-evaluate", `Cannot evaluate: ${reason}`, options);
  }
}

/**
 * Runs `read`, a reader of inputs that is shared with preparation.
 *
 * @throws {EvaluationError} In place of a {@linkcode PreparationError}.
 */
export async function asEvaluation<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof PreparationError)) throw cause;
    throw new EvaluationError(cause.reason, { cause });
  }
}
