/**
 * The keyboard commands of the editor.
 *
 * @module
 */

// @ts-check

/** @typedef {import("./editor_state.js").EditorState} EditorState */

/** Cursor steps by key: rows down, columns right. */
const STEPS = /** @type {const} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
  PageUp: [-Infinity, 0],
  PageDown: [Infinity, 0],
});

/** Actions by key, with the labels of their buttons. */
export const ACTIONS = /** @type {const} */ ({
  f: ["fill", "Paint the patch"],
  p: ["pick", "Pick the code"],
  c: ["copy", "Copy"],
  v: ["paste", "Paste"],
  m: ["move", "Move here"],
  x: ["swap", "Swap"],
});

/**
 * Runs the command of a key.
 *
 * @param {EditorState} state
 * @param {{ key: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean }} event
 * @returns {boolean} True if the key has a command.
 */
export function pressKey(state, event) {
  const { key, shiftKey, altKey } = event;
  const command = event.ctrlKey || event.metaKey;
  const letter = key.toLowerCase();
  if (altKey) return false;
  if (command) {
    if (letter === "z" && !shiftKey) state.undo();
    else if (letter === "y" || letter === "z") state.redo();
    else return false;
    return true;
  }
  if (key in STEPS) {
    const [down, right] = STEPS[/** @type {keyof typeof STEPS} */ (key)];
    const { row, column } = state.cursor;
    state.goTo({ row: row + down, column: column + right }, shiftKey);
    return true;
  }
  if (key === "Enter" || key === " ") {
    state.fill();
    return true;
  }
  if (letter in ACTIONS) {
    const [action] = ACTIONS[/** @type {keyof typeof ACTIONS} */ (letter)];
    state[action]();
    return true;
  }
  return false;
}
