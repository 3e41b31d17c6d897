/**
 * The panel of pictures that a question is about, and of ways to add them.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { countText } from "../logic/quantities.js";
import { element } from "../parts/element.js";
import { Notice } from "../parts/notice.js";
import { pictureInput } from "../parts/picture_input.js";
import { TaskRunner } from "../parts/task.js";
import { codesOf } from "./ask_call.js";
import { MAX_PICTURES } from "./question_pictures.js";

/**
 * @typedef {import("./question_pictures.js").QuestionPicture} QuestionPicture
 * @typedef {import("./question_pictures.js").AskedPictures} AskedPictures
 * @typedef {import("../shell/shell.js").Shell} Shell
 */

/** Pictures with buttons to remove them, and inputs to add more. */
export class PicturePanel {
  #pictures;
  #shell;
  #onChange;
  #notice = new Notice();
  #figures = element("ul", { class: "asked" });
  #current = element("button", {
    type: "button",
    hidden: true,
    onclick: () => this.#addCurrent(),
  }, "Add the generated picture");
  #runner = new TaskRunner(() => undefined);
  /** @type {WeakMap<Blob, string>} */
  #urls = new WeakMap();
  /** @type {string | undefined} */
  #taken;
  /** Resolves when all added files are encoded or refused. */
  settled = Promise.resolve();
  root;

  /**
   * @param {AskedPictures} pictures
   * @param {Shell} shell
   * @param {() => void} onChange
   */
  constructor(pictures, shell, onChange) {
    this.#pictures = pictures;
    this.#shell = shell;
    this.#onChange = onChange;
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": "asked-title" },
      element("h3", { id: "asked-title" }, "Pictures"),
      this.#figures,
      pictureInput({
        words: "Drop pictures here or paste them.",
        several: true,
        takesPaste: true,
        onFiles: (files) => this.#addFiles(files),
      }, this.#current),
      this.#notice.root,
    );
    shell.picture.watch(() => {
      const seen = this.root.isConnected &&
        this.root.closest("[hidden]") === null;
      // Draw's latest picture is offered as soon as it is finished.
      if (seen) this.offerCurrent();
      else this.#showCurrent();
    });
  }

  /** Selects the current picture alone. */
  takeCurrent() {
    const { value } = this.#shell.picture;
    if (value === undefined) return;
    const alone = this.#pictures.all.length === 1 && value.id === this.#taken;
    if (alone) return;
    this.#pictures.set([]);
    this.#addCurrent();
  }

  /** Selects the current picture if none is selected, or else offers it. */
  offerCurrent() {
    if (this.#pictures.all.length === 0) this.#addCurrent();
    else this.#showCurrent();
  }

  #showCurrent() {
    const { value } = this.#shell.picture;
    this.#current.hidden = value === undefined || value.id === this.#taken;
  }

  #addCurrent() {
    const { value } = this.#shell.picture;
    if (value === undefined) return;
    if (value.grid === undefined) {
      this.#addFiles([
        new File([value.file], value.title, { type: value.file.type }),
      ]);
    } else {
      const { title, file, grid } = value;
      this.#add({ title, file, grid });
    }
    this.#taken = value.id;
    this.#showCurrent();
  }

  /** @param {readonly File[]} files */
  #addFiles(files) {
    // Sequential: a later file does not abort an earlier one.
    this.settled = this.settled.then(() =>
      this.#runner.run(
        (signal) => this.#encodeAll(files, signal),
        (error) => this.#notice.showError(error),
      )
    );
  }

  /**
   * @param {readonly File[]} files
   * @param {AbortSignal} signal
   */
  async #encodeAll(files, signal) {
    const { server } = this.#shell;
    if (server.state.value.models.length === 0) await server.look();
    const most = this.#most;
    for (const file of files.slice(0, most)) {
      this.#notice.show(`Reading ${file.name}…`);
      const title = file.name || "Pasted picture";
      const grid = await this.#codesOf(file, signal);
      this.#add({ title, file, ...(grid && { grid }) });
    }
    if (files.length > most) {
      this.#notice.show(
        most === 1
          ? "This model accepts one picture per question: only the first was added."
          : `A question can have up to ${most} pictures: only the first ${most} were added.`,
      );
    }
  }

  /** Pictures that the model accepts in one question. */
  get #most() {
    const { server } = this.#shell;
    const most = server.model("caption")?.max_images ?? 1;
    return Math.min(most, MAX_PICTURES);
  }

  /**
   * @param {File} file
   * @param {AbortSignal} signal
   */
  async #codesOf(file, signal) {
    const { server } = this.#shell;
    // Without an encoding function on the server, files are sent with the
    // question.
    if (server.model("tokenize") === undefined) return undefined;
    const retryPolicy = this.#shell.retryPolicy(this.#notice, signal);
    return await withRetries(() => codesOf(file, signal), retryPolicy);
  }

  /** @param {QuestionPicture} picture */
  #add(picture) {
    const most = this.#most;
    // A model of one picture replaces it by the new one.
    if (most === 1) this.#pictures.set([]);
    if (this.#pictures.all.length < most && this.#pictures.add(picture)) {
      this.#notice.clear();
    } else {
      this.#notice.show(
        `A question can have up to ${most} pictures: remove one first.`,
        { fault: true },
      );
    }
    this.#show();
  }

  #show() {
    const { all } = this.#pictures;
    this.#figures.replaceChildren(
      ...all.map((picture, i) => this.#figure(picture, i, all.length)),
    );
    this.#figures.dataset["count"] = String(all.length);
    this.#onChange();
  }

  /**
   * @param {QuestionPicture} picture
   * @param {number} index
   * @param {number} count
   */
  #figure(picture, index, count) {
    const { title, file, grid } = picture;
    const number = count > 1 ? `${index + 1}. ` : "";
    const codes = grid === undefined
      ? ""
      : ` ${grid.height} × ${grid.width} codes`;
    const url = this.#urls.get(file) ?? URL.createObjectURL(file);
    this.#urls.set(file, url);
    return element(
      "li",
      {},
      element(
        "figure",
        {},
        element("img", { src: url, alt: title }),
        element(
          "figcaption",
          {},
          element("span", {}, number + title),
          element("span", { class: "hint" }, codes),
        ),
      ),
      element("button", {
        type: "button",
        class: "small",
        "aria-label": `Remove ${title}`,
        onclick: () => this.#remove(picture),
      }, "Remove"),
    );
  }

  /** @param {QuestionPicture} picture */
  #remove(picture) {
    this.#pictures.remove(picture);
    const url = this.#urls.get(picture.file);
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#urls.delete(picture.file);
    this.#show();
    const left = this.#pictures.all.length;
    this.#shell.announce(`Removed. ${countText(left, "picture")} left.`);
    this.root.querySelector("button")?.focus();
  }
}
