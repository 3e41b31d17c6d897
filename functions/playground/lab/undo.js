/**
 * The undo history of a value.
 *
 * @module
 */

// @ts-check

/** Maximum of undo steps. */
const DEPTH = 100;

/**
 * A value with its earlier and undone states.
 *
 * @template T
 */
export class Undo {
  /** @type {T[]} */
  #past = [];
  /** @type {T[]} */
  #future = [];
  #now;

  /** @param {T} first */
  constructor(first) {
    this.#now = first;
  }

  /** Current value. */
  get now() {
    return this.#now;
  }

  /** True if there is a step to undo. */
  get canUndo() {
    return this.#past.length > 0;
  }

  /** True if there is a step to redo. */
  get canRedo() {
    return this.#future.length > 0;
  }

  /** @param {T} next */
  do(next) {
    this.#past = [...this.#past, this.#now].slice(-DEPTH);
    this.#future = [];
    this.#now = next;
  }

  /** Undoes one step, if there is one. */
  undo() {
    const before = this.#past.pop();
    if (before === undefined) return;
    this.#future.push(this.#now);
    this.#now = before;
  }

  /** Redoes one step, if there is one. */
  redo() {
    const after = this.#future.pop();
    if (after === undefined) return;
    this.#past.push(this.#now);
    this.#now = after;
  }
}
