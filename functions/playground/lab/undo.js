/**
 * What a value was before, to go back and forth.
 *
 * @module
 */

// @ts-check

/** How far back one can go. */
const DEPTH = 100;

/**
 * A value and its past and undone future.
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

  /** As it stands. */
  get now() {
    return this.#now;
  }

  /** Whether there is something to go back to. */
  get canUndo() {
    return this.#past.length > 0;
  }

  /** Whether something was undone. */
  get canRedo() {
    return this.#future.length > 0;
  }

  /** @param {T} next */
  do(next) {
    this.#past = [...this.#past, this.#now].slice(-DEPTH);
    this.#future = [];
    this.#now = next;
  }

  /** Goes one step back, if there is one. */
  undo() {
    const before = this.#past.pop();
    if (before === undefined) return;
    this.#future.push(this.#now);
    this.#now = before;
  }

  /** Takes the last step back again. */
  redo() {
    const after = this.#future.pop();
    if (after === undefined) return;
    this.#past.push(this.#now);
    this.#now = after;
  }
}
