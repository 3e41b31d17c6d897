/**
 * The actions on the current picture that make a clip of it, or files of a
 * clip.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { getJson } from "../api/request.js";
import { npyOf } from "../lab/npy.js";
import { fileName } from "../logic/picture_files.js";
import { element, saveAs } from "../parts/element.js";
import { TaskRunner } from "../parts/task.js";
import { clipFile } from "./clip_call.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 *
 * @typedef {object} Listener
 * @property {() => number} frame Returns the index of the frame that is shown.
 * @property {(picture: Picture, frames: number) => void} extend Called with the
 *   count of frames to continue.
 * @property {(error: unknown) => void} failed
 * @property {<T>(attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>} withRetries
 */

/** The buttons. */
export class ClipActions {
  #listener;
  /** Button that continues the frames up to the one that is shown. */
  extend = element("button", {
    type: "button",
    onclick: () => {
      if (this.#picture === undefined) return;
      const frames = this.#picture.clip ? this.#listener.frame() + 1 : 1;
      this.#listener.extend(this.#picture, frames);
    },
  });
  #video = this.#exit("MP4", "video/mp4", ".mp4");
  /** Buttons of a clip's files. */
  files = element(
    "details",
    {
      class: "clip-files",
      ontoggle: () => void this.#offerVideo(),
    },
    element("summary", {}, "Save as"),
    element(
      "div",
      { class: "actions" },
      this.#exit("GIF", "image/gif", ".gif"),
      this.#video,
      this.#exit("PNGs (.zip)", "application/zip", ".zip"),
      element("button", {
        type: "button",
        class: "small",
        onclick: () => this.#saveCodes(),
      }, "Codes (.npy)"),
    ),
  );
  /** @type {Picture | undefined} */
  #picture;
  #runner = new TaskRunner((running) => {
    for (const button of this.files.querySelectorAll("button")) {
      button.disabled = running;
    }
  });
  /** @type {Promise<boolean> | undefined} */
  #makesVideo;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
    this.#video.hidden = true;
  }

  /**
   * @param {Picture | undefined} picture
   * @param {boolean} extendable True if a model draws clips.
   */
  show(picture, extendable) {
    this.#picture = picture;
    this.files.hidden = picture?.clip === undefined;
    this.extend.hidden = !extendable;
    this.extend.textContent = picture?.clip
      ? "Extend from this frame"
      : "Extend to a clip";
  }

  /** @param {string} label @param {string} type @param {string} ending */
  #exit(label, type, ending) {
    return element("button", {
      type: "button",
      class: "small",
      onclick: () => this.#save(type, ending),
    }, label);
  }

  /** @param {string} type @param {string} ending */
  #save(type, ending) {
    const picture = this.#picture;
    if (picture?.clip === undefined) return;
    const { clip } = picture;
    void this.#runner.run(async (signal) => {
      const file = await this.#listener.withRetries(
        () => clipFile(clip, type, { model: clip.model, signal }),
        signal,
      );
      saveAs(file, fileName(picture).replace(/\.\w+$/, ending), type);
    }, (error) => this.#listener.failed(error));
  }

  #saveCodes() {
    const { clip, ...picture } = this.#picture ?? {};
    if (clip === undefined) return;
    const { codes, frames, height, width } = clip;
    const name = fileName(/** @type {Picture} */ (picture));
    saveAs(
      npyOf(codes, [frames, height, width]),
      name.replace(/\.\w+$/, ".npy"),
    );
  }

  /** Shows MP4 if the server's description lists it: it needs ffmpeg there. */
  async #offerVideo() {
    this.#makesVideo ??= getJson("/openapi.json").then((document) =>
      JSON.stringify(document.paths["/v1/detokenize"]).includes("video/mp4")
    );
    this.#video.hidden = !await this.#makesVideo.catch(() => false);
  }
}
