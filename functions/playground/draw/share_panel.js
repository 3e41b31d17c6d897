/**
 * The panel that shares the current picture as a link and as code.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { currentKey } from "../api/key.js";
import { paramsFromLink } from "../logic/link.js";
import { SNIPPETS } from "../logic/snippets.js";
import { element } from "../parts/element.js";
import { formatRoute } from "../shell/route.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/** The sharing panel. */
export class SharePanel {
  #codes = element("input", { type: "checkbox" });
  #code = element("pre", { tabIndex: 0, "aria-label": "Program" });
  #status = element("span", { class: "quiet", role: "status" });
  #language = element(
    "div",
    { class: "actions", role: "group", "aria-label": "Language" },
    ...Object.keys(SNIPPETS).map((name, i) =>
      element("button", {
        type: "button",
        class: "small",
        "aria-pressed": String(i === 0),
        onclick: () => this.#choose(name),
      }, name)
    ),
    element("button", {
      type: "button",
      class: "small copy",
      onclick: () => void this.#copy(this.#code.textContent ?? "", "Program"),
    }, "Copy"),
  );
  root = element(
    "details",
    { class: "share" },
    element("summary", {}, "Share, or use the API"),
    element(
      "div",
      { class: "stack" },
      element(
        "div",
        { class: "actions" },
        element("button", {
          type: "button",
          onclick: () => void this.#copy(this.link(), "Link"),
        }, "Copy link"),
        element("label", { class: "check" }, this.#codes, "with codes"),
        this.#status,
      ),
      this.#language,
      this.#code,
    ),
  );
  /** @type {Picture | undefined} */
  #picture;
  /** @type {keyof typeof SNIPPETS} */
  #chosen = "curl";

  /** @param {Picture} picture */
  show(picture) {
    this.#picture = picture;
    this.root.hidden = picture.settings === undefined ||
      picture.givenRows !== undefined;
    this.#codes.disabled = (picture.grid ?? picture.clip) === undefined;
    this.#status.textContent = "";
    this.#write();
  }

  /** Returns the address of the page with the settings in it. */
  link() {
    const { settings, grid, clip } = this.#picture ?? {};
    if (settings === undefined) return location.href;
    const params = paramsFromLink(
      settings,
      this.#codes.checked ? clip ?? grid : undefined,
    );
    return new URL(formatRoute("draw", params), location.href).href;
  }

  /** @param {string} name */
  #choose(name) {
    this.#chosen = /** @type {keyof typeof SNIPPETS} */ (name);
    for (const button of this.#language.querySelectorAll("[aria-pressed]")) {
      const pressed = button.textContent === name;
      button.setAttribute("aria-pressed", String(pressed));
    }
    this.#write();
  }

  #write() {
    const settings = this.#picture?.settings;
    if (settings === undefined) return;
    this.#code.textContent = SNIPPETS[this.#chosen](settings, {
      origin: location.origin,
      keyed: currentKey() !== undefined,
    });
  }

  /**
   * @param {string} text
   * @param {string} what
   */
  async #copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      this.#status.textContent = `${what} copied.`;
    } catch {
      // Clipboard access requires https or localhost.
      this.#code.textContent = text;
      getSelection()?.selectAllChildren(this.#code);
      this.#status.textContent =
        `${what} selected: press Ctrl+C or ⌘C to copy.`;
    }
  }
}
