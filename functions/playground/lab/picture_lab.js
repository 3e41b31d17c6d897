/**
 * The picture section of the lab: encodes a picture, edits codes, decodes them.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { codesOf } from "../ask/ask_call.js";
import { countText } from "../logic/quantities.js";
import { element, saveAs } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { pictureInput } from "../parts/picture_input.js";
import { TaskRunner } from "../parts/task.js";
import { CodeEditor } from "./code_editor.js";
import { Comparison } from "./comparison.js";
import { pictureOf } from "./detokenize_call.js";
import { formatRows, parseRows, rowsOf } from "./grid_edit.js";
import { npyOf } from "./npy.js";

/**
 * @typedef {import("./grid_edit.js").Grid} Grid
 * @typedef {import("../shell/shell.js").Shell} Shell
 */

/** Delay from an edit to decoding, in milliseconds. */
const PAUSE_MS = 200;

/** Side of the brush's preview, in cells. */
const SWATCH = 2;

/** The picture section. */
export class PictureLab {
  #shell;
  #notice = new Notice();
  #comparison = new Comparison();
  #swatch = element("img", { class: "swatch", alt: "", width: 40, height: 40 });
  #editor = new CodeEditor({
    swatch: this.#swatch,
    onEdit: (grid) => this.#decodeSoon(grid),
    onBrush: (code) => this.#showBrush(code),
  });
  #codes = element("textarea", {
    rows: 8,
    class: "mono",
    spellcheck: false,
    wrap: "off",
  });
  #codesField = new Field("Codes, row by row", this.#codes);
  #result = element("div", { class: "stack", hidden: true });
  #current = element("button", {
    type: "button",
    hidden: true,
    onclick: () => this.#takeCurrent(),
  }, "Use the generated picture");
  #runner = new TaskRunner(() => undefined);
  #brushRunner = new TaskRunner(() => undefined);
  /** @type {ImageBitmap | undefined} */
  #original;
  /** @type {Blob | undefined} */
  #decoded;
  #title = "";
  /** @type {string | undefined} */
  #takenId;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  root;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#result.append(
      this.#comparison.root,
      element("h4", {}, "Edit the codes"),
      this.#editor.root,
      this.#numbers(),
      this.#exits(),
    );
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": "lab-picture" },
      element("h3", { id: "lab-picture" }, "Picture ⇄ codes"),
      pictureInput({
        words: "Drop a picture here or paste it.",
        takesPaste: true,
        onFiles: ([file]) => file && this.#takeFile(file),
      }, this.#current),
      this.#notice.root,
      this.#result,
    );
    shell.picture.watch(() => this.#offer());
  }

  /** Encodes the current picture if there is none yet, or else offers it. */
  offerCurrent() {
    if (this.#original === undefined) this.#takeCurrent();
    else this.#offer();
  }

  #offer() {
    const { still: value } = this.#shell;
    this.#current.hidden = value === undefined || value.id === this.#takenId;
  }

  #takeCurrent() {
    const { still: value } = this.#shell;
    if (value === undefined) return;
    this.#takenId = value.id;
    this.#offer();
    this.#take(value.file, value.title, value.grid);
  }

  /** @param {File} file */
  #takeFile(file) {
    this.#take(file, file.name || "Pasted picture");
  }

  /**
   * @param {Blob} file
   * @param {string} title
   * @param {Grid} [known] Codes, if they are known.
   */
  #take(file, title, known) {
    clearTimeout(this.#timer);
    this.#notice.show(`Reading ${title}…`);
    this.#run(async (signal) => {
      const grid = known ??
        await this.#withRetries(() => codesOf(file, signal), signal);
      const original = await createImageBitmap(file);
      signal.throwIfAborted();
      this.#original = original;
      this.#title = title;
      this.#editor.begin(grid);
      await this.#decode(grid, signal);
      this.#notice.clear();
      const { height, width } = grid;
      const codes = countText(height * width, "code");
      this.#shell.announce(`${title}: ${codes}, ${height} rows of ${width}`);
    });
  }

  /** @param {Grid} grid */
  #decodeSoon(grid) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#run((signal) => this.#decode(grid, signal)),
      PAUSE_MS,
    );
  }

  /**
   * @param {Grid} grid
   * @param {AbortSignal} signal
   */
  async #decode(grid, signal) {
    const file = await this.#withRetries(() => pictureOf(grid, signal), signal);
    const bitmap = await createImageBitmap(file);
    signal.throwIfAborted();
    this.#decoded = file;
    if (this.#original) this.#comparison.show(this.#original, bitmap);
    this.#editor.showPicture(bitmap);
    this.#codes.value = formatRows(grid);
    this.#codesField.setFault(undefined);
    this.#result.hidden = false;
    this.#notice.clear();
  }

  /** @param {number} code */
  #showBrush(code) {
    const codes = new Uint16Array(SWATCH * SWATCH).fill(code);
    void this.#brushRunner.run(
      async (signal) => {
        const grid = { height: SWATCH, width: SWATCH, codes };
        const before = this.#swatch.src;
        this.#swatch.src = URL.createObjectURL(await pictureOf(grid, signal));
        URL.revokeObjectURL(before);
      },
      (error) =>
        this.#editor.brushField.setFault(
          error instanceof Error ? error.message : undefined,
        ),
    );
  }

  #numbers() {
    return element(
      "details",
      {},
      element("summary", {}, "Codes as numbers"),
      this.#codesField.root,
      element("button", {
        type: "button",
        class: "small",
        onclick: () => this.#takeNumbers(),
      }, "Decode these codes"),
    );
  }

  #takeNumbers() {
    try {
      this.#editor.replace(parseRows(this.#codes.value));
    } catch (error) {
      this.#codesField.setFault(error instanceof Error ? error.message : "");
      this.#codes.focus();
    }
  }

  #exits() {
    /** @type {[string, () => void][]} */
    const exits = [
      ["Save codes as .npy", () => {
        const { height, width, codes } = this.#editor.grid;
        saveAs(npyOf(codes, [height, width]), "codes.npy");
      }],
      ["Save codes as .json", () => {
        const grid = { codes: rowsOf(this.#editor.grid) };
        saveAs(JSON.stringify({ grid }), "codes.json", "application/json");
      }],
      ["Save the picture", () => {
        if (this.#decoded) saveAs(this.#decoded, "picture.png", "image/png");
      }],
      ["Ask about it", () => this.#pass("ask", { about: "drawn" })],
      ["Look inside", () => this.#pass("look")],
    ];
    return element(
      "div",
      { class: "actions" },
      ...exits.map(([label, onclick]) =>
        element("button", { type: "button", class: "small", onclick }, label)
      ),
    );
  }

  /**
   * @param {string} view View that receives the current picture.
   * @param {Record<string, string>} [params]
   */
  #pass(view, params = {}) {
    if (this.#decoded === undefined) return;
    const id = `lab-${Date.now()}`;
    this.#takenId = id;
    this.#shell.picture.set({
      id,
      createdAt: Date.now(),
      title: `${this.#title}, from its codes`,
      file: this.#decoded,
      grid: this.#editor.grid,
      imageIndex: 0,
    });
    this.#shell.open(view, new URLSearchParams(params));
  }

  /** @param {(signal: AbortSignal) => Promise<void>} task */
  #run(task) {
    void this.#runner.run(task, (error) => this.#notice.showError(error));
  }

  /**
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} signal
   */
  #withRetries(attempt, signal) {
    return withRetries(attempt, this.#shell.retryPolicy(this.#notice, signal));
  }
}
