/**
 * The definition of work: requests that are counted, limited and refused, as
 * opposed to reads and cancellations.
 *
 * @module
 */

/** Path that cancels a prediction; `PUT` would create one of that name. */
const CANCEL = /^(?:\/v1)?\/predictions\/[^/]+\/cancel$/;

/** Returns true if a request may compute or store something. */
export function doesWork(method: string, path: string): boolean {
  if (method === "POST") return !CANCEL.test(path);
  return method === "PUT";
}
