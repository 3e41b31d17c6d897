/**
 * The tokenizer lab: encodes and decodes pictures, clips and text.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { ClipLab } from "./clip_lab.js";
import { PictureLab } from "./picture_lab.js";
import { TextLab } from "./text_lab.js";

/** @type {import("../shell/views.js").Mount} */
export function mount(root, shell) {
  const picture = new PictureLab(shell);
  const clip = new ClipLab(shell);
  const text = new TextLab(shell);
  root.append(
    element(
      "div",
      { class: "lab" },
      picture.root,
      element("div", { class: "stack" }, text.root, clip.root),
    ),
  );
  text.start();
  return {
    open: () => picture.offerCurrent(),
    close: () => clip.pause(),
  };
}
