/**
 * Pictures that are dropped, pasted or chosen.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { readPng } from "../logic/png_text.js";
import { settingsFromTexts } from "../logic/settings.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/**
 * @param {File} file
 * @returns {Promise<Picture>} With settings where it was made here.
 */
export async function pictureOf(file) {
  const png = await readPng(new Uint8Array(await file.arrayBuffer()));
  const told = png && settingsFromTexts(png.texts, png);
  return {
    id: crypto.randomUUID(),
    createdAt: Date.now(),
    title: told?.settings.prompt ?? file.name,
    file,
    imageIndex: told?.imageIndex ?? 0,
    ...(told && { settings: told.settings }),
    ...(told?.model !== undefined && { model: told.model }),
  };
}

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
