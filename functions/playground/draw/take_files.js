/**
 * The drop and paste handlers for files.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/**
 * Takes files that are dropped onto the page or pasted while `target` is shown.
 *
 * @param {HTMLElement} target
 * @param {(file: File) => void} take Called with the first picture or video.
 * @param {{ takesVideo: () => boolean, refuse: (file: File) => void }} options
 *   Refuses the first file if none is taken.
 */
export function takeFiles(target, take, { takesVideo, refuse }) {
  /** @param {DataTransfer | null} data */
  const takeFrom = (data) => {
    const files = [...data?.files ?? []];
    const picture = files.find(({ type }) =>
      type.startsWith("image/") || (takesVideo() && type.startsWith("video/"))
    );
    if (picture !== undefined) take(picture);
    else if (files[0] !== undefined) refuse(files[0]);
  };
  // A file dropped beside the view would otherwise replace the page.
  document.addEventListener("dragover", (event) => {
    if (target.hidden || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    target.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) target.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    if (target.hidden) return;
    event.preventDefault();
    target.classList.remove("dropping");
    takeFrom(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    if (target.hidden || !event.clipboardData?.files.length) return;
    event.preventDefault();
    takeFrom(event.clipboardData);
  });
}
