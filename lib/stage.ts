/**
 * The parts that opening something has, told to whoever watches.
 *
 * Whoever opens says what it does; how long that takes, and to whom it is shown,
 * is for the watcher to know.
 *
 * @module
 */

/** Does a part of the work under its name, and gives what comes of it. */
export type Stage = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Where nobody watches. */
export const unwatched: Stage = <T>(
  _name: string,
  work: () => Promise<T>,
): Promise<T> => work();
