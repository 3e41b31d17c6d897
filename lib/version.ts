/**
 * The version of the server.
 *
 * @module
 */

/** The semantic version. */
export const VERSION = "0.1.0";
