import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { pressKey } from "../../../../functions/playground/lab/editor_keys.js";
import { EditorState } from "../../../../functions/playground/lab/editor_state.js";
import {
  gridOf,
  rowsOf,
} from "../../../../functions/playground/lab/grid_edit.js";

const KEYS = [
  ...["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"],
  ...["PageUp", "PageDown", "Enter", " ", "f", "p", "c", "v", "m", "x"],
];

function editor(): EditorState {
  return new EditorState(gridOf({ codes: [[1, 2, 3], [4, 5, 6], [7, 8, 9]] }));
}

/** Presses keys, such as `Shift+ArrowDown` and `Control+z`. */
function press(state: EditorState, ...keys: readonly string[]): void {
  for (const name of keys) {
    const parts = name === " " ? [" "] : name.split("+");
    pressKey(state, {
      key: parts.at(-1)!,
      shiftKey: parts.includes("Shift"),
      ctrlKey: parts.includes("Control"),
      metaKey: false,
      altKey: false,
    });
  }
}

Deno.test("pressKey() picks a code and paints a patch with it", () => {
  const state = editor();
  press(state, "ArrowRight", "p", "ArrowDown", "Shift+ArrowRight", "Enter");
  deepStrictEqual(rowsOf(state.grid), [[1, 2, 3], [4, 2, 2], [7, 8, 9]]);
});

Deno.test("pressKey() copies, moves and swaps patches", () => {
  const copied = editor();
  press(copied, "Shift+ArrowDown", "c", "End", "v");
  deepStrictEqual(rowsOf(copied.grid), [[1, 2, 3], [4, 5, 1], [7, 8, 4]]);
  deepStrictEqual(copied.patch, { row: 1, column: 2, height: 2, width: 1 });
  const swap = editor();
  press(swap, "c", "PageDown", "End", "x");
  deepStrictEqual(rowsOf(swap.grid), [[9, 2, 3], [4, 5, 6], [7, 8, 1]]);
  const move = editor();
  press(move, "c", "PageDown", "p", "m");
  deepStrictEqual(rowsOf(move.grid), [[7, 2, 3], [4, 5, 6], [1, 8, 9]]);
  strictEqual(move.source, undefined);
});

Deno.test("EditorState undoes a stroke as one step", () => {
  const state = editor();
  state.brush = 0;
  for (const column of [0, 1, 2]) {
    state.goTo({ row: 1, column }, false);
    state.paint();
  }
  state.endStroke();
  deepStrictEqual(rowsOf(state.grid), [[1, 2, 3], [0, 0, 0], [7, 8, 9]]);
  press(state, "Control+z");
  deepStrictEqual(state.grid, state.first);
  press(state, "Control+y");
  deepStrictEqual(rowsOf(state.grid)[1], [0, 0, 0]);
});

Deno.test("pressKey() ignores other keys", () => {
  const bare = {
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
  };
  for (
    const event of [
      { ...bare, key: "Tab" },
      { ...bare, key: "q" },
      { ...bare, key: "c", ctrlKey: true },
      { ...bare, key: "ArrowLeft", altKey: true },
    ]
  ) strictEqual(pressKey(editor(), event), false);
});

Deno.test("EditorState stays inside the grid and undoes everything, for any keys", () => {
  const names = fc.constantFrom(...KEYS, ...KEYS.map((key) => `Shift+${key}`));
  fc.assert(fc.property(fc.array(names, { maxLength: 40 }), (keys) => {
    const state = editor();
    press(state, ...keys);
    const { row, column, height, width } = state.patch;
    ok(row >= 0 && column >= 0 && row + height <= 3 && column + width <= 3);
    strictEqual(state.grid.codes.length, 9);
    while (state.canUndo) state.undo();
    deepStrictEqual(state.grid, state.first);
  }));
});
