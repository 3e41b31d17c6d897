/**
 * The clip section of the lab: encodes a short clip and decodes its codes.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { countText } from "../logic/quantities.js";
import { element, saveAs } from "../parts/element.js";
import { Notice } from "../parts/notice.js";
import { pictureInput } from "../parts/picture_input.js";
import { TaskRunner } from "../parts/task.js";
import { animationOf, clipOf, framesOf } from "./detokenize_call.js";
import { npyOf } from "./npy.js";
import { FramePlayer } from "./frame_player.js";

/**
 * @typedef {import("./detokenize_call.js").Clip} Clip
 * @typedef {import("../shell/shell.js").Shell} Shell
 */

/** The clip section. */
export class ClipLab {
  #shell;
  #notice = new Notice();
  #player = new FramePlayer();
  #facts = element("p", { class: "facts", role: "status" });
  #original = element("div", { class: "originals" });
  #result = element("div", { class: "stack", hidden: true });
  #runner = new TaskRunner(() => undefined);
  /** @type {Clip | undefined} */
  #clip;
  /** @type {string[]} */
  #urls = [];
  root;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#result.append(
      this.#facts,
      this.#player.root,
      element(
        "details",
        {},
        element("summary", {}, "The original animation"),
        this.#original,
      ),
      this.#exits(),
    );
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": "lab-clip" },
      element("h3", { id: "lab-clip" }, "Clip ⇄ codes"),
      pictureInput({
        words:
          "Drop an animated GIF or APNG here, or several pictures as its frames.",
        several: true,
        camera: false,
        onFiles: (files) => this.#take(files),
      }),
      this.#notice.root,
      this.#result,
    );
  }

  /** Stops playback while the view is hidden. */
  pause() {
    this.#player.pause();
  }

  /** @param {readonly File[]} files */
  #take(files) {
    this.#notice.show(`Reading ${countText(files.length, "file")}…`);
    this.#run(async (signal) => {
      const clip = await this.#withRetries(() => clipOf(files, signal), signal);
      if (clip === undefined) {
        this.#notice.show(
          "This is a still picture: open it in “Picture ⇄ codes”.",
          { fault: true },
        );
        return;
      }
      const frames = await this.#withRetries(
        () => framesOf(clip, signal),
        signal,
      );
      this.#clip = clip;
      this.#showOriginal(files);
      this.#player.show(frames);
      const each = clip.codes.length;
      this.#facts.textContent =
        `${
          countText(frames.length, "frame")
        } in ${each} × ${clip.height} × ${clip.width} codes: ` +
        `${frames.length / each} frames share a grid.`;
      this.#result.hidden = false;
      this.#notice.clear();
    });
  }

  /** @param {readonly File[]} files */
  #showOriginal(files) {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = files.map((file) => URL.createObjectURL(file));
    this.#original.replaceChildren(
      ...this.#urls.map((src, i) => {
        const number = files.length > 1 ? ` frame ${i + 1}` : "";
        return element("img", { src, alt: `The original${number}` });
      }),
    );
  }

  #exits() {
    /** @param {"image/apng" | "image/gif"} type @param {string} name */
    const animation = (type, name) =>
      this.#run(async (signal) => {
        const clip = this.#clip;
        if (clip === undefined) return;
        const file = await this.#withRetries(
          () => animationOf(clip, type, signal),
          signal,
        );
        saveAs(file, name, type);
      });
    /** @type {[string, () => void][]} */
    const exits = [
      ["Save as .apng", () => animation("image/apng", "clip.apng")],
      ["Save as .gif", () => animation("image/gif", "clip.gif")],
      ["Save codes as .npy", () => {
        if (this.#clip === undefined) return;
        const { codes, height, width } = this.#clip;
        const all = Uint16Array.from(codes.flat(2));
        saveAs(npyOf(all, [codes.length, height, width]), "clip.npy");
      }],
    ];
    return element(
      "div",
      { class: "actions" },
      ...exits.map(([label, onclick]) =>
        element("button", { type: "button", class: "small", onclick }, label)
      ),
    );
  }

  /** @param {(signal: AbortSignal) => Promise<void>} task */
  #run(task) {
    void this.#runner.run(task, (error) => this.#notice.showError(error));
  }

  /**
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} signal
   */
  #withRetries(attempt, signal) {
    return withRetries(attempt, this.#shell.retryPolicy(this.#notice, signal));
  }
}
