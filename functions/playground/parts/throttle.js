/**
 * The throttle for tasks whose calls are more frequent than useful.
 *
 * @module
 */

// @ts-check

/**
 * Returns a function that runs `task` at once, and again at most every `ms`:
 * calls in between are merged.
 *
 * @param {number} ms
 * @param {() => void} task
 * @param {(then: () => void, ms: number) => unknown} [after] Timer.
 * @returns {() => void}
 */
export function throttle(ms, task, after = setTimeout) {
  let waiting = false;
  let pending = false;
  const run = () => {
    pending = false;
    waiting = true;
    task();
    after(() => {
      waiting = false;
      if (pending) run();
    }, ms);
  };
  return () => {
    pending = true;
    if (!waiting) run();
  };
}
