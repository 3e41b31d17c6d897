/**
 * The stages of loading, reported to a callback.
 *
 * A loader names its stages; the callback decides if it measures, shows or
 * ignores them.
 *
 * @module
 */

/** A function that runs a stage under its name, and returns its result. */
export type Stage = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Runs a stage without reporting it. */
export const unwatched: Stage = <T>(
  _name: string,
  work: () => Promise<T>,
): Promise<T> => work();
