/**
 * Ways for pictures to come in: dropped, pasted, chosen, taken.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { element } from "./element.js";

/** What is offered to be chosen. What else is dropped, the server judges. */
const TYPES = "image/png,image/jpeg,image/webp,image/gif";

/**
 * @typedef {object} PictureInputOptions
 * @property {string} words What may be dropped, such as “Drop a picture here”.
 * @property {boolean} [several] Whether more than one may come at once.
 * @property {boolean} [takesPaste] Whether what is pasted while it can be seen goes here.
 * @property {boolean} [camera] Whether one may be taken; it may, unless told otherwise.
 * @property {(files: File[]) => void} onFiles
 */

/**
 * A place where pictures can be dropped, and buttons for all else.
 *
 * @param {PictureInputOptions} options
 * @param {...HTMLElement} others Buttons beside those for files.
 * @returns {HTMLElement}
 */
export function pictureInput(options, ...others) {
  const { several = false, takesPaste = false, camera = true, onFiles } =
    options;
  /** @param {Iterable<File>} files */
  const take = (files) => {
    const list = [...files].slice(0, several ? undefined : 1);
    if (list.length > 0) onFiles(list);
  };
  const chosen = fileButton(several ? "Choose files" : "Choose a file", {
    accept: TYPES,
    multiple: several,
    take,
  });
  // Elsewhere it would be the same as choosing a file.
  const taken = camera && matchMedia("(pointer: coarse)").matches
    ? fileButton("Take a picture", {
      accept: "image/*",
      capture: "environment",
      take,
    })
    : [];
  const root = element(
    "div",
    { class: "drop" },
    element("p", { class: "hint" }, options.words),
    element("div", { class: "actions" }, ...chosen, ...taken, ...others),
  );
  listenForDrops(root, take);
  if (takesPaste) listenForPaste(root, take);
  return root;
}

/**
 * @param {string} label
 * @param {{ accept: string, multiple?: boolean, capture?: string, take: (files: Iterable<File>) => void }} options
 * @returns {HTMLElement[]} A button, and the input that it opens.
 */
function fileButton(label, { accept, multiple = false, capture, take }) {
  const input = element("input", {
    type: "file",
    hidden: true,
    accept,
    multiple,
    ...(capture && { capture }),
    onchange: () => {
      take(input.files ?? []);
      // The same file may be chosen again.
      input.value = "";
    },
  });
  const button = element(
    "button",
    { type: "button", onclick: () => input.click() },
    label,
  );
  return [button, input];
}

/**
 * @param {HTMLElement} root
 * @param {(files: Iterable<File>) => void} take
 */
function listenForDrops(root, take) {
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    root.classList.add("over");
  });
  root.addEventListener("dragleave", () => root.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("over");
    take(event.dataTransfer?.files ?? []);
  });
}

/**
 * @param {HTMLElement} root
 * @param {(files: Iterable<File>) => void} take
 */
function listenForPaste(root, take) {
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length || root.closest("[hidden]") !== null) return;
    event.preventDefault();
    take(files);
  });
}
