/**
 * The phases of loading a model, reported to a callback.
 *
 * A loader names its phases; the callback decides if it measures, shows or
 * ignores them.
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
