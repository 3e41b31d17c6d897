/**
 * The editor of codes on their decoded picture, by pointer, keys and buttons.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { countText } from "../logic/quantities.js";
import { element, freshId } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { cellAt, drawEditor } from "./editor_canvas.js";
import { ACTIONS, pressKey } from "./editor_keys.js";
import { EditorState } from "./editor_state.js";
import { changes } from "./grid_edit.js";

/**
 * @typedef {import("./grid_edit.js").Grid} Grid
 * @typedef {import("./editor_state.js").Tool} Tool
 */

/** Tools of the pointer. */
const TOOLS = /** @type {const} */ ([
  ["select", "Select a patch"],
  ["paint", "Paint"],
  ["pick", "Pick a code"],
]);

/** Placeholder until the first grid. */
const NOTHING = { height: 1, width: 1, codes: new Uint16Array(1) };

/** The grid and its controls. */
export class CodeEditor {
  #state = new EditorState(NOTHING);
  /** @type {CanvasImageSource | undefined} */
  #picture;
  /** @type {Tool} */
  #tool = "select";
  /** @type {Grid} */
  #reported = NOTHING;
  #onEdit;
  #onBrush;
  #canvas;
  #place = element("p", { class: "facts", "aria-live": "polite" });
  #brush = element("input", { type: "number", min: "0", max: "65535" });
  #buttons = element("div", {
    class: "actions",
    role: "group",
    "aria-label": "Edit the patch",
  });
  root;

  /**
   * @param {object} options
   * @param {(grid: Grid) => void} options.onEdit
   * @param {(code: number) => void} options.onBrush
   * @param {HTMLElement} options.swatch Preview of the brush.
   */
  constructor({ onEdit, onBrush, swatch }) {
    this.#onEdit = onEdit;
    this.#onBrush = onBrush;
    const help = freshId("keys");
    this.#canvas = element("canvas", {
      class: "editor",
      tabIndex: 0,
      role: "application",
      "aria-label": "Grid of codes",
      "aria-describedby": help,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      onpointerdown: (/** @type {PointerEvent} */ event) => this.#down(event),
      onpointermove: (/** @type {PointerEvent} */ event) => this.#moved(event),
      onpointerup: () => this.#state.endStroke(),
    });
    this.#brush.addEventListener("input", () => {
      this.#state.brush = Math.min(
        65_535,
        Math.max(0, Math.floor(Number(this.#brush.value))),
      );
      onBrush(this.#state.brush);
    });
    const brush = new Field("Code of the brush", this.#brush, {
      beside: [swatch],
    });
    this.brushField = brush;
    this.root = element(
      "div",
      { class: "stack" },
      this.#tools(),
      this.#canvas,
      this.#place,
      brush.root,
      this.#buttons,
      keysHelp(help),
    );
  }

  get grid() {
    return this.#state.grid;
  }

  /** @param {Grid} grid Grid of a new picture. */
  begin(grid) {
    this.#state = new EditorState(grid);
    this.#reported = grid;
    this.#picture = undefined;
    this.#shown();
    this.#brushChanged();
  }

  /** @param {Grid} grid Codes that were typed. */
  replace(grid) {
    const { height, width } = this.#state.grid;
    if (grid.height === height && grid.width === width) {
      this.#state.replace(grid);
      this.#changed();
    } else {
      // Another size is not comparable, so the history starts anew.
      this.begin(grid);
      this.#onEdit(grid);
    }
  }

  /** @param {CanvasImageSource} picture Picture of the current codes. */
  showPicture(picture) {
    this.#picture = picture;
    drawEditor(this.#canvas, this.#state, picture);
  }

  #tools() {
    const name = freshId("tool");
    return element(
      "fieldset",
      { class: "tools" },
      element("legend", {}, "Pointer tool"),
      ...TOOLS.map(([tool, label]) =>
        element(
          "label",
          { class: "check" },
          element("input", {
            type: "radio",
            name,
            checked: tool === this.#tool,
            onchange: () => this.#tool = tool,
          }),
          label,
        )
      ),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!pressKey(this.#state, event)) return;
    event.preventDefault();
    this.#changed();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#state.goTo(cellAt(this.#canvas, this.#state, event), event.shiftKey);
    this.#use();
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    if (!this.#canvas.hasPointerCapture(event.pointerId)) return;
    const cell = cellAt(this.#canvas, this.#state, event);
    this.#state.goTo(cell, this.#tool === "select");
    this.#use();
  }

  #use() {
    if (this.#tool === "paint") this.#state.paint();
    if (this.#tool === "pick") this.#state.pick();
    this.#changed();
  }

  /** Redraws after a possible change, and reports it. */
  #changed() {
    this.#shown();
    this.#brushChanged();
    if (this.#reported === this.grid) return;
    this.#reported = this.grid;
    this.#onEdit(this.grid);
  }

  #brushChanged() {
    const { brush } = this.#state;
    if (this.#brush.value === String(brush)) return;
    this.#brush.value = String(brush);
    this.brushField.setFault(undefined);
    this.#onBrush(brush);
  }

  #shown() {
    const state = this.#state;
    drawEditor(this.#canvas, state, this.#picture);
    const { row, column, height, width } = state.patch;
    const size = height * width > 1 ? `, patch of ${height} × ${width}` : "";
    const edited = changes(state.grid, state.first);
    const count = edited === 0 ? "" : `. ${countText(edited, "code")} changed`;
    this.#place.textContent = `Row ${row + 1}, column ${
      column + 1
    }: code ${state.code}${size}${count}`;
    this.#showButtons();
  }

  #showButtons() {
    const state = this.#state;
    const needsSource = new Set(["paste", "move", "swap"]);
    const buttons = Object.values(ACTIONS).map((
      [action, label],
    ) => /** @type {const} */ ([
      label,
      () => state[action](),
      needsSource.has(action) && state.source === undefined,
    ]));
    const all = [
      ...buttons,
      /** @type {const} */ (["Undo", () => state.undo(), !state.canUndo]),
      /** @type {const} */ (["Redo", () => state.redo(), !state.canRedo]),
    ];
    all.forEach(([label, act, disabled], i) => {
      const button = this.#button(i, label);
      button.onclick = () => {
        act();
        this.#changed();
      };
      button.disabled = disabled;
    });
  }

  /**
   * Returns the same button each time, so that it keeps the focus.
   *
   * @param {number} index
   * @param {string} label
   */
  #button(index, label) {
    const there = this.#buttons.children[index];
    if (there instanceof HTMLButtonElement) return there;
    const made = element("button", { type: "button", class: "small" }, label);
    this.#buttons.append(made);
    return made;
  }
}

/** @param {string} id */
function keysHelp(id) {
  const rows = [
    ["arrows", "move, with Shift select a patch"],
    ["Enter", "paint the patch"],
    ...Object.entries(ACTIONS).map(([key, [, label]]) => [
      key.toUpperCase(),
      label.toLowerCase(),
    ]),
    ["Ctrl Z", "undo"],
    ["Ctrl Y", "redo"],
  ];
  return element(
    "details",
    {},
    element("summary", {}, "Keyboard shortcuts"),
    element(
      "ul",
      { id, class: "keys" },
      ...rows.map(([key = "", does = ""]) =>
        element("li", {}, element("kbd", {}, key), ` ${does}`)
      ),
    ),
    element(
      "p",
      { class: "hint" },
      "Move and Swap use the last copied patch. Move fills its old place with the code of the brush.",
    ),
  );
}
