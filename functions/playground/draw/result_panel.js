/**
 * The panel of the current picture: file, metadata and links to other views.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { fileName } from "../logic/picture_files.js";
import { element } from "../parts/element.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/** The panel. */
export class ResultPanel {
  #facts = element("p", { class: "facts quiet" });
  #save = element("a", { class: "button", download: "emu3.png" }, "Download");
  #ask = element(
    "a",
    { class: "button", href: "#ask?about=drawn", hidden: true },
    "Ask about it",
  );
  /** Sharing panel, loaded with the first picture. */
  #share = element("div");
  /** @type {Promise<import("./share_panel.js").SharePanel | undefined> | undefined} */
  #sharing;
  /** Buttons, to which other parts add theirs. */
  actions = element(
    "div",
    { class: "actions" },
    this.#save,
    element("a", { class: "button", href: "#look" }, "Look inside"),
    this.#ask,
  );
  root = element(
    "div",
    { class: "result", hidden: true },
    this.#facts,
    this.actions,
    this.#share,
  );

  /** @param {boolean} answers True if the server answers questions. */
  offerQuestions(answers) {
    this.#ask.hidden = !answers;
  }

  /** Hides the panel but keeps its space, so that the page does not jump. */
  leave() {
    this.root.inert = true;
  }

  /** @param {string} facts Statistics of the drawing. */
  showFacts(facts) {
    this.#facts.textContent = facts;
  }

  /**
   * @param {Picture | undefined} picture Current picture; undefined for none.
   */
  show(picture) {
    this.root.hidden = picture === undefined;
    this.root.inert = false;
    if (picture === undefined) return;
    const before = this.#save.href;
    this.#save.href = URL.createObjectURL(picture.file);
    this.#save.download = fileName(picture);
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    const { title, model, settings } = picture;
    this.showFacts(
      [
        title,
        model,
        settings?.seed === undefined ? undefined : `seed ${settings.seed}`,
      ].filter(Boolean).join(" · "),
    );
    void this.#openSharing().then((panel) => panel?.show(picture));
  }

  /** @returns Undefined if the server is away. */
  async #openSharing() {
    this.#sharing ??= import("./share_panel.js").then(({ SharePanel }) => {
      const panel = new SharePanel();
      this.#share.append(panel.root);
      return panel;
    });
    return await this.#sharing.catch(() => this.#sharing = undefined);
  }
}
