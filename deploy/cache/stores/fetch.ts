/**
 * The type of functions that send requests.
 *
 * @module
 */

/** A function like `fetch`, perhaps over its own connections. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;
