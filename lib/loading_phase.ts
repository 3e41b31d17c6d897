/**
 * The loading phases of a model, which a callback can measure.
 *
 * A loader runs each phase through a callback, which may measure or display it.
 *
 * ```ts ignore
 * const measured: RunPhase = async (name, work) => {
 *   const startedAt = performance.now();
 *   const result = await work();
 *   console.log(name, performance.now() - startedAt);
 *   return result;
 * };
 * ```
 *
 * @module
 */

/** A function that runs a phase under its name, and returns its result. */
export type RunPhase = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Runs a phase without reporting it. */
export const unreported: RunPhase = <T>(
  _name: string,
  work: () => Promise<T>,
): Promise<T> => work();
