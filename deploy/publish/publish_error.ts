/**
 * The error of a checkpoint that cannot be published.
 *
 * @module
 */

/** The error thrown for a failed publication, with advice. */
export class PublishError extends Error {
  /** Creates an error about the folder or place `what`. */
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`Cannot publish ${what}: ${reason}`, options);
    this.name = "PublishError";
  }
}
