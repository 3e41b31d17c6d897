/**
 * A checkpoint that cannot be published.
 *
 * @module
 */

/** Says what cannot be published, and what would do. */
export class PublishError extends Error {
  /** Of the folder or place `what`. */
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`Cannot publish ${what}: ${reason}`, options);
    this.name = "PublishError";
  }
}
