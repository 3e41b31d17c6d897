/**
 * Files that are dropped or pasted.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/**
 * Takes files that are dropped onto `target` or pasted while it is shown.
 *
 * @param {HTMLElement} target
 * @param {(file: File) => void} take
 */
export function takeFiles(target, take) {
  /** @param {DataTransfer | null} data */
  const first = (data) =>
    [...data?.files ?? []].find(({ type }) => type.startsWith("image/"));
  target.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    target.classList.add("dropping");
  });
  target.addEventListener("dragleave", (event) => {
    const to = event.relatedTarget;
    if (to instanceof Node && target.contains(to)) return;
    target.classList.remove("dropping");
  });
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("dropping");
    const file = first(event.dataTransfer);
    if (file !== undefined) take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = first(event.clipboardData);
    if (target.hidden || file === undefined) return;
    event.preventDefault();
    take(file);
  });
}
