/**
 * A task that is asked for more often than anybody sees its results.
 *
 * @module
 */

// @ts-check

/**
 * A function that runs `task` at once, and again at most every `ms`: what is
 * asked for in between is done together.
 *
 * @param {number} ms
 * @param {() => void} task
 * @param {(then: () => void, ms: number) => unknown} [after] A timer.
 * @returns {() => void}
 */
export function calmly(ms, task, after = setTimeout) {
  let waiting = false;
  let asked = false;
  const run = () => {
    asked = false;
    waiting = true;
    task();
    after(() => {
      waiting = false;
      if (asked) run();
    }, ms);
  };
  return () => {
    asked = true;
    if (!waiting) run();
  };
}
