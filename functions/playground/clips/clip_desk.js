/**
 * The clips of the Draw view: their fields, their views on the stage, and what
 * can be made of them.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { addStyle } from "../parts/element.js";
import { ClipActions } from "./clip_actions.js";
import { ClipFields } from "./clip_fields.js";
import { ClipView } from "./clip_view.js";
import { contextOf, openClip } from "./open_clip.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./open_clip.js").ClipModel} ClipModel
 *
 * @typedef {object} DrawParts Parts of the Draw view.
 * @property {Shell} shell
 * @property {import("../draw/settings_form.js").SettingsForm} settings
 * @property {import("../draw/stage.js").Stage} stage
 * @property {() => readonly (Picture | undefined)[]} staged Returns the
 *   pictures on the stage.
 * @property {import("../draw/result_panel.js").ResultPanel} result
 * @property {import("../parts/notice.js").Notice} notice
 * @property {import("../parts/task.js").TaskRunner} runner Tasks of the view.
 * @property {HTMLInputElement} file File dialog.
 * @property {HTMLElement} hint Hint beside its button.
 */

/** Clips in the Draw view. */
export class ClipDesk {
  #parts;
  #fields = new ClipFields(() => this.#describe());
  #actions = new ClipActions({
    frame: () => this.#shownFrame(),
    extend: (picture, frames) => this.#extend(picture, frames),
    failed: (error) => this.#parts.notice.showError(error),
    withRetries: (attempt, signal) => this.#withRetries(attempt, signal),
  });

  /** @param {DrawParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { shell, settings, result } = parts;
    addStyle("clips.css");
    parts.file.accept += ",image/apng,video/*";
    parts.hint.textContent =
      "or drop one, or a video; those made here restore their settings.";
    settings.addClips(this.#fields);
    result.actions.append(this.#actions.extend);
    result.actions.after(this.#actions.files);
    shell.server.state.watch(() => this.#describe());
    shell.picture.watch((picture) =>
      this.#actions.show(picture, this.#model !== undefined)
    );
  }

  /** Frames that the next clip continues, if any. */
  get context() {
    return this.#fields.context;
  }

  /** True if files of clips can be opened. */
  get opens() {
    return this.#model !== undefined;
  }

  /**
   * Places views of clips on the stage.
   *
   * @param {number} count
   */
  place(count) {
    this.#parts.stage.place(
      Array.from({ length: count }, () => new ClipView()),
    );
  }

  /**
   * Opens an animation or a video.
   *
   * @param {File} file
   * @param {AbortSignal} signal
   * @returns {Promise<Picture | undefined>} Undefined for a still picture.
   */
  async open(file, signal) {
    const model = this.#model;
    if (model === undefined) return undefined;
    this.#parts.notice.show(`Reading ${file.name}…`);
    return await this.#withRetries(
      () => openClip(file, model, signal),
      signal,
    );
  }

  /** Model that draws clips. @returns {ClipModel | undefined} */
  get #model() {
    const model = this.#parts.shell.server.model("clips");
    return model?.clips && { ...model, clips: model.clips };
  }

  #describe() {
    const { shell, settings } = this.#parts;
    const model = this.#model;
    const usual = shell.server.model("generate");
    this.#fields.describe(model?.clips);
    settings.describe(this.#fields.chosen ? model ?? usual : usual);
    // The default model needs no name.
    settings.setModel(
      this.#fields.chosen && model?.id !== usual?.id ? model?.id : undefined,
    );
  }

  #shownFrame() {
    const { shell, stage, staged } = this.#parts;
    const index = staged().indexOf(shell.picture.value);
    const view = stage.views[index];
    return view instanceof ClipView ? view.index : 0;
  }

  /**
   * Continues the first frames in the next clip.
   *
   * @param {Picture} picture
   * @param {number} frames
   */
  #extend(picture, frames) {
    const model = this.#model;
    if (model === undefined) return;
    const { notice, runner, settings, shell } = this.#parts;
    void runner.run(async (signal) => {
      notice.clear();
      const clip = await this.#withRetries(
        () => contextOf(picture, frames, model, signal),
        signal,
      );
      if (clip.frames * clip.framesPerCode >= this.#fields.most) {
        notice.show(
          `${model.id} draws at most ${this.#fields.most} frames: choose an earlier frame.`,
          { fault: true },
        );
        return;
      }
      if (picture.settings !== undefined) {
        const { seed: _, ...again } = picture.settings;
        settings.write(again);
      }
      this.#fields.continueFrom({ title: picture.title, clip });
      shell.announce("The next clip continues these frames.");
    }, (error) => notice.showError(error));
  }

  /**
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} signal
   */
  #withRetries(attempt, signal) {
    const { shell, notice } = this.#parts;
    return withRetries(attempt, shell.retryPolicy(notice, signal));
  }
}
