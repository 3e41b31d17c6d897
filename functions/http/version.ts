/**
 * The one place that says which version this is.
 *
 * @module
 */

/** Semantic version. */
export const VERSION = "0.1.0";
