/**
 * The list of earlier drawings as thumbnails.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { countText } from "../logic/quantities.js";
import { addStyle, element } from "../parts/element.js";
import { icon } from "../parts/icon.js";
import { HistoryStore } from "./history_store.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/** The list of thumbnails. */
export class HistoryList {
  #store = new HistoryStore();
  #list = element("ul", { class: "thumbs" });
  #clear = element("button", {
    type: "button",
    class: "small",
    onclick: () => void this.#forgetAll(),
  }, "Delete all");
  #title = element(
    "h3",
    { id: "history-title", tabIndex: -1 },
    "Earlier pictures",
  );
  root = element(
    "section",
    {
      class: "panel history",
      "aria-labelledby": "history-title",
      hidden: true,
    },
    element("div", { class: "head" }, this.#title, this.#clear),
    this.#list,
  );
  /** @type {string[]} */
  #urls = [];
  #open;
  #announce;

  /**
   * @param {(picture: Picture) => void} open Called with the chosen picture.
   * @param {(text: string) => void} announce
   */
  constructor(open, announce) {
    this.#open = open;
    this.#announce = announce;
    void this.refresh();
  }

  /**
   * Stores pictures. Without storage in the browser, the list stays empty.
   *
   * @param {readonly Picture[]} pictures
   */
  async add(pictures) {
    try {
      for (const picture of pictures) await this.#store.add(picture);
    } catch (error) {
      this.#announce(`The browser cannot store this picture: ${error}`);
    }
    await this.refresh();
  }

  /** Shows the stored pictures. */
  async refresh() {
    const pictures = await this.#store.all().catch(() => []);
    for (const url of this.#urls) URL.revokeObjectURL(url);
    const stills = await Promise.all(pictures.map(stillOf));
    this.#urls = stills.map((file) => URL.createObjectURL(file));
    this.#list.replaceChildren(
      ...pictures.map((picture, i) =>
        this.#thumb(picture, this.#urls[i] ?? "")
      ),
    );
    this.root.hidden = pictures.length === 0;
    this.#title.textContent = `Earlier pictures (${pictures.length})`;
  }

  /**
   * @param {Picture} picture
   * @param {string} url
   */
  #thumb(picture, url) {
    const { title, settings, clip } = picture;
    const seed = settings?.seed === undefined ? "" : `, seed ${settings.seed}`;
    return element(
      "li",
      {},
      element(
        "button",
        {
          type: "button",
          class: "thumb",
          title: `${title}${seed}`,
          onclick: () => this.#open(picture),
        },
        element("img", { src: url, alt: `${title}${seed}`, loading: "lazy" }),
        clip && element(
          "span",
          { class: "length" },
          countText(clip.frames * clip.framesPerCode, "frame"),
        ),
      ),
      element("button", {
        type: "button",
        class: "icon forget",
        "aria-label": `Delete ${title}${seed}`,
        onclick: () => void this.#forget(picture),
      }, icon("bin")),
    );
  }

  /** @param {Picture} picture */
  async #forget({ id, title }) {
    await this.#store.delete(id);
    await this.refresh();
    this.#announce(`Forgotten: ${title}`);
    this.#title.focus();
  }

  async #forgetAll() {
    const count = this.#list.children.length;
    if (!confirm(`Delete ${countText(count, "picture")}?`)) return;
    await this.#store.clear();
    await this.refresh();
  }
}

/**
 * Returns the first frame of a clip, because thumbnails do not move.
 *
 * @param {Picture} picture
 * @returns {Promise<Blob>}
 */
async function stillOf({ file, clip }) {
  if (clip === undefined) return file;
  const { framesOfApng } = await import("../logic/apng.js");
  addStyle("clips.css");
  const [first] = framesOfApng(new Uint8Array(await file.arrayBuffer()));
  return first ? new Blob([first.png], { type: "image/png" }) : file;
}
