/**
 * The Look view: the cells of the current picture, their logprobs and
 * entropies, a replay of the drawing, and branches.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { HistoryStore } from "../draw/history_store.js";
import { factsOf, movedBy, sentenceOf } from "../logic/cells.js";
import { element, freshId } from "../parts/element.js";
import { placeFaults } from "../parts/field.js";
import { namesFields, Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { branch } from "./branch.js";
import { BranchForm } from "./branch_form.js";
import { CellPanel } from "./cell_panel.js";
import { basisOf, clamped, differenceText, withCodes } from "./coded.js";
import { FrameChoice } from "./frame_choice.js";
import { filmButton } from "./film_button.js";
import { scorePicture } from "./score.js";
import { ScoreForm } from "./score_form.js";
import { Scrubber } from "./scrubber.js";
import { Legend, mapButtons, Variant } from "./variant.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("./coded.js").CodedPicture} CodedPicture
 * @typedef {import("../logic/cells.js").Cell} Cell
 */

/** Limit of codes for a picture that is scored automatically. */
const FEW_CODES = 1024;

/** Time limit for scoring a branch, in milliseconds. */
const SCORE_MS = 60_000;

/**
 * @param {HTMLElement} root
 * @param {Shell} shell
 * @returns {import("../shell/views.js").MountedView}
 */
export function mount(root, shell) {
  const view = new LookView(root, shell);
  return { open: () => view.open(), close: () => view.close() };
}

/** The Look view. */
class LookView {
  #shell;
  #notice = new Notice();
  #first = new Variant("A");
  #second = new Variant("B");
  #panel = new CellPanel((cell, code) => this.#goOn(cell, code));
  #legend = new Legend();
  #status = element("p", { class: "unseen", "aria-live": "polite" });
  #difference = element("p", { class: "quiet", role: "status" });
  #film = filmButton(() => this.#first.picture, {
    saved: () => this.#shell.announce("The time-lapse is saved."),
    failed: (error) => this.#notice.showError(error),
  });
  #keep = element("button", {
    type: "button",
    class: "small",
    hidden: true,
    onclick: () => this.#shell.picture.set(this.#second.picture),
  }, "Continue with B");
  #scrubber = new Scrubber((cells) => {
    for (const { cells: canvas } of this.#variants) canvas.setShown(cells);
  });
  #maps = mapButtons((name) => this.#chooseMap(name), this.#legend);
  #scoreForm = new ScoreForm((prompt) => this.#scoreBy(prompt));
  #form = new BranchForm({
    start: (options) => this.#begin(options),
    stop: () => this.#runner.stop(),
    choose: (row) => this.#first.cells.setCut(row),
  });
  #help = element("p", { id: freshId("help"), class: "hint" });
  #branching = element("div", { class: "panel" }, this.#form.root);
  #frames = new FrameChoice((picture) => void this.#enter(picture));
  #runner = new TaskRunner((running) => this.#form.setRunning(running));
  #scoring = new TaskRunner(() => {});
  #empty = element(
    "div",
    { class: "panel" },
    element(
      "p",
      {},
      "No picture yet. ",
      element("a", { href: "#draw" }, "Draw one, or open one"),
      ", then look inside.",
    ),
  );
  #inside;
  /** @type {Picture | undefined} */
  #entered;
  /** @type {Cell} */
  #cell = { y: 0, x: 0 };
  /** @type {import("./variant.js").MapName} */
  #map = "picture";
  #seen = false;

  /**
   * @param {HTMLElement} root
   * @param {Shell} shell
   */
  constructor(root, shell) {
    this.#shell = shell;
    for (const variant of this.#variants) {
      variant.cells.canvas.setAttribute("aria-describedby", this.#help.id);
      this.#listen(variant);
    }
    this.#second.root.hidden = true;
    this.#inside = element(
      "div",
      { class: "columns inside", hidden: true },
      element(
        "div",
        { class: "panel stack" },
        this.#maps,
        this.#frames.root,
        element(
          "div",
          { class: "variants" },
          this.#first.root,
          this.#second.root,
        ),
        element(
          "div",
          { class: "replay" },
          this.#scrubber.root,
          this.#film,
        ),
        this.#scoreForm.root,
        element("div", { class: "actions" }, this.#keep, this.#difference),
        this.#help,
      ),
      element(
        "div",
        { class: "stack" },
        element("div", { class: "panel" }, this.#panel.root),
        this.#branching,
      ),
    );
    root.append(this.#notice.root, this.#empty, this.#inside, this.#status);
    shell.picture.watch((picture) => void this.#frames.show(picture));
  }

  /** Scores the picture when the view opens. */
  open() {
    this.#seen = true;
    if (!this.#scoring.running) this.#scoreIfNew();
  }

  /** Stops animations while the view is hidden. */
  close() {
    this.#seen = false;
    // If there is no other sign of progress, the notice gives the reason.
    const busy = this.#runner.running || this.#scoring.running;
    if (!busy && !this.#inside.hidden) this.#notice.clear();
    this.#scrubber.stop();
    this.#frames.pause();
  }

  get #variants() {
    return [this.#first, this.#second];
  }

  /** @param {Picture | undefined} picture */
  async #enter(picture) {
    this.#runner.stop();
    // The scores of a clip are those of all its frames.
    const same = picture?.clip && picture.clip === this.#entered?.clip;
    if (!same) this.#scoring.stop();
    this.#notice.clear();
    this.#entered = picture;
    this.#empty.hidden = picture !== undefined;
    this.#inside.hidden = picture === undefined;
    if (picture === undefined) return;
    try {
      const coded = await withCodes(picture);
      if (this.#entered !== picture) return;
      this.#panel.setModel(picture.clip?.model);
      // A frame depends on those before it, which is no branch of a picture.
      this.#branching.hidden = this.#film.hidden = picture.clip !== undefined;
      this.#help.textContent = picture.clip
        ? "Arrow keys move between cells."
        : "Arrow keys move between cells; Enter or a click selects the row to branch from.";
      await this.#first.show(coded);
      this.#dropSecond();
      this.#form.describe(basisOf(coded), coded.grid.height);
      this.#first.cells.setCut(undefined);
      this.#scrubber.reset(coded.grid);
      this.#scoreForm.write(basisOf(coded).prompt);
      this.#cell = clamped(this.#cell, coded.grid);
      this.#showScored();
      if (!same || !this.#scoring.running) this.#scoreIfNew();
    } catch (error) {
      this.#inside.hidden = true;
      this.#notice.showError(error);
    }
  }

  /** Shows the scores of the first picture, in its map and beside it. */
  #showScored() {
    const unknown = this.#first.picture?.scores === undefined;
    this.#chooseMap(unknown ? "picture" : this.#map);
    for (const button of this.#maps.querySelectorAll("button")) {
      button.disabled = button.value !== "picture" && unknown;
    }
    this.#choose(this.#cell, false);
  }

  /** Scores small pictures automatically; large ones take long. */
  #scoreIfNew() {
    const { picture } = this.#first;
    if (!this.#seen || picture?.grid === undefined) return;
    if (picture.scores !== undefined) return;
    if ((picture.clip ?? picture.grid).codes.length > FEW_CODES) return;
    this.#scoreBy(this.#scoreForm.prompt);
  }

  /** @param {string} prompt Description of the first picture. */
  #scoreBy(prompt) {
    const { picture } = this.#first;
    if (picture?.grid === undefined) return;
    const coded = { ...picture, grid: picture.grid };
    this.#notice.clear();
    void this.#scoring.run(async (signal) => {
      const scores = await this.#scoresOf(coded, prompt, signal);
      if (picture.clip) return this.#frames.setScores(picture.clip, scores);
      if (this.#first.picture !== picture) return;
      this.#first.picture = { ...picture, scores };
      this.#showScored();
    }, (error) => this.#notice.showError(error));
  }

  /** @param {CodedPicture} drawn Picture that may lack scores. */
  async #scoreSecond(drawn) {
    const { codes } = drawn.grid;
    if (drawn.scores !== undefined || codes.length > FEW_CODES) return;
    const scores = await this.#scoresOf(
      drawn,
      basisOf(drawn).prompt,
      AbortSignal.timeout(SCORE_MS),
    ).catch(() => undefined);
    if (scores === undefined || this.#second.picture !== drawn) return;
    this.#second.picture = { ...drawn, scores };
    this.#chooseMap(this.#map);
    this.#choose(this.#cell, false);
  }

  /**
   * @param {CodedPicture} picture
   * @param {string} prompt
   * @param {AbortSignal} signal
   */
  #scoresOf(picture, prompt, signal) {
    return scorePicture(
      picture,
      prompt,
      this.#shell.server.model(picture.clip ? "clips" : "generate"),
      this.#shell.retryPolicy(this.#notice, signal),
    );
  }

  /** @param {Variant} variant */
  #listen(variant) {
    const { canvas } = variant.cells;
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") {
        this.#choose(variant.cells.cellAt(event), false);
      }
    });
    canvas.addEventListener("click", (event) => {
      const cell = variant.cells.cellAt(event);
      this.#choose(cell, true);
      this.#chooseRow(cell.y);
    });
    canvas.addEventListener("focus", () => this.#choose(this.#cell, true));
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        return this.#chooseRow(this.#cell.y);
      }
      const { size } = variant.cells;
      const far = event.ctrlKey || event.metaKey;
      const cell = movedBy(event.key, far, this.#cell, size);
      if (cell === undefined) return;
      event.preventDefault();
      this.#choose(cell, true);
    });
  }

  /**
   * @param {Cell} cell
   * @param {boolean} aloud True to announce it to screen readers.
   */
  #choose(cell, aloud) {
    this.#cell = cell;
    for (const { cells } of this.#variants) cells.setMarked(cell);
    const focused = this.#second.picture !== undefined &&
      document.activeElement === this.#second.cells.canvas;
    const { picture } = focused ? this.#second : this.#first;
    if (picture?.grid === undefined) return;
    const facts = factsOf(picture.grid, picture.scores, cell);
    this.#panel.show(cell, facts, !focused && picture.clip === undefined);
    if (aloud) this.#status.textContent = sentenceOf(cell, facts);
  }

  /** @param {number} row */
  #chooseRow(row) {
    if (this.#branching.hidden) return;
    this.#form.setRow(row);
    this.#first.cells.setCut(row);
  }

  /** @param {import("./variant.js").MapName} name */
  #chooseMap(name) {
    this.#map = name;
    for (const button of this.#maps.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === name));
    }
    const pictures = this.#variants.map(({ picture }) => picture);
    const most = this.#legend.describe(pictures, name);
    for (const variant of this.#variants) variant.setMap(name, most);
  }

  #dropSecond() {
    this.#second.root.hidden = true;
    this.#second.picture = undefined;
    this.#keep.hidden = true;
    this.#difference.textContent = "";
  }

  /**
   * Replaces one code and draws the rest with the same seed, so that
   * differences are due to that code.
   *
   * @param {Cell} cell
   * @param {number} code
   */
  #goOn({ y, x }, code) {
    const { picture } = this.#first;
    if (picture?.grid === undefined) return;
    const { width, codes } = picture.grid;
    const begun = [...codes.subarray(y * width, y * width + x), code];
    const { n: _, strategy: __, ...settings } = basisOf(picture);
    this.#begin({ row: y, begun, settings });
  }

  /** @param {import("./branch_form.js").Branch} options */
  #begin(options) {
    const { picture } = this.#first;
    if (picture?.grid === undefined) return;
    const basis = { ...picture, grid: picture.grid };
    this.#dropSecond();
    placeFaults([], this.#form.fields);
    void this.#runner.run(async (signal) => {
      const drawn = await branch(basis, options, {
        ...this.#shell.retryPolicy(this.#notice, signal),
        variant: this.#second,
        model: this.#shell.server.model("generate"),
      });
      this.#scrubber.reset(drawn.grid);
      this.#chooseMap(this.#map);
      this.#choose(this.#cell, false);
      this.#keep.hidden = false;
      void this.#scoreSecond(drawn);
      // Without storage in the browser, the history stays empty.
      void new HistoryStore().add(drawn).catch(() => {});
      this.#difference.textContent = differenceText(basis.grid, drawn.grid);
    }, (error) => this.#showError(error)).finally(() => {
      if (this.#second.picture === undefined) this.#dropSecond();
    });
  }

  /** @param {unknown} error */
  #showError(error) {
    if (!namesFields(error)) return this.#notice.showError(error);
    const homeless = placeFaults(error.errors, this.#form.fields);
    if (homeless.length > 0) this.#notice.showError(error);
  }
}
