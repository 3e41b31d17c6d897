/**
 * The picture input: drop, paste, file dialog and camera.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { element } from "./element.js";

/** Types in the file dialog. The server checks files that are dropped. */
const TYPES = "image/png,image/jpeg,image/webp,image/gif";

/**
 * @typedef {object} PictureInputOptions
 * @property {string} words Text of the drop area, such as “Drop a picture
 *   here”.
 * @property {boolean} [several] True to accept several files at once.
 * @property {boolean} [takesPaste] True to accept pasted files while the input
 *   is visible.
 * @property {boolean} [camera] False to hide the camera button.
 * @property {(files: File[]) => void} onFiles
 */

/**
 * Creates a drop area with buttons.
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
  // Without a touch screen it would equal the file dialog.
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
 * @returns {HTMLElement[]} Button, and the input that it opens.
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
      // Cleared so that the same file can be chosen again.
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
