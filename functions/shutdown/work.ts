/**
 * The definition of work: which requests are counted, limited and refused, and
 * which only look at what is there or end it.
 *
 * @module
 */

/** Ends a prediction. A `PUT` of the same path would make one of that name. */
const CANCEL = /^(?:\/v1)?\/predictions\/[^/]+\/cancel$/;

/**
 * Returns whether a request may start something that computes or is kept, by
 * its method and path.
 */
export function doesWork(method: string, path: string): boolean {
  if (method === "POST") return !CANCEL.test(path);
  return method === "PUT";
}
