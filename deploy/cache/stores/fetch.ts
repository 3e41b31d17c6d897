/**
 * How requests are sent.
 *
 * @module
 */

/** As `fetch` does, perhaps over connections of somebody's own. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;
