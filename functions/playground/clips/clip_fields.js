/**
 * The fields of a clip: its kind, its frames and their rate, and the frames
 * that it continues.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { countText } from "../logic/quantities.js";
import { framesPerCode } from "../logic/clip_codes.js";
import { element, freshId } from "../parts/element.js";
import { Field } from "../parts/field.js";

/**
 * @typedef {import("../logic/clip_codes.js").ClipCodes} ClipCodes
 * @typedef {import("../logic/clip_codes.js").ClipForm} ClipForm
 * @typedef {import("../logic/settings.js").Settings} Settings
 *
 * @typedef {object} Context Frames that a clip continues.
 * @property {string} title
 * @property {ClipCodes} clip
 */

/** Limit of frames of the API. */
const MAX_FRAMES = 4096;

/** The choice between a picture and a clip, with the fields of a clip. */
export class ClipFields {
  #kind = freshId("kind");
  #picture = this.#choice(true);
  #clip = this.#choice(false);
  #frames = element("input", { type: "number", required: true });
  #rate = element("input", {
    type: "number",
    inputMode: "decimal",
    min: "0.1",
    max: "100",
    step: "any",
  });
  /** Fields by their names in the API. */
  fields = new Map([
    ["frames", new Field("Frames", this.#frames)],
    ["fps", new Field("Frames per second", this.#rate)],
  ]);
  #given = element("p", { class: "hint", role: "status" });
  #drop = element("button", {
    type: "button",
    class: "small",
    hidden: true,
    onclick: () => {
      this.continueFrom(undefined);
      this.#frames.focus();
    },
  }, "Begin anew");
  #lengths = element(
    "div",
    { class: "fields", hidden: true },
    ...[...this.fields.values()].map(({ root }) => root),
    element("div", { class: "actions wide" }, this.#given, this.#drop),
  );
  root = element(
    "div",
    { class: "stack clip-fields" },
    element(
      "div",
      { class: "actions", role: "radiogroup", "aria-label": "Kind" },
      element("label", { class: "check" }, this.#picture, "Picture"),
      element("label", { class: "check" }, this.#clip, "Clip"),
    ),
    this.#lengths,
  );
  /** @type {ClipForm | undefined} */
  #form;
  /** @type {Context | undefined} */
  #context;
  #onKind;

  /** @param {() => void} onKind Called when the kind has changed. */
  constructor(onKind) {
    this.#onKind = onKind;
  }

  /** True if a clip is chosen. */
  get chosen() {
    return this.#clip.checked;
  }

  /** Frames that the next clip continues, if any. */
  get context() {
    return this.chosen ? this.#context?.clip : undefined;
  }

  /**
   * Shows the form of the model's clips.
   *
   * @param {ClipForm | undefined} form Undefined if no model draws clips.
   */
  describe(form) {
    this.root.hidden = form === undefined;
    if (form === undefined || form.frames === this.#form?.frames) return;
    this.#form = form;
    this.#rate.placeholder = String(form.fps);
    if (this.#frames.value === "") this.#frames.value = String(form.frames);
    this.#bound();
  }

  /** @returns {Pick<Settings, "frames" | "fps">} */
  read() {
    if (!this.chosen) return {};
    return {
      frames: Number(this.#frames.value),
      ...(this.#rate.value !== "" && { fps: Number(this.#rate.value) }),
    };
  }

  /**
   * Fills the fields; the clip begins anew.
   *
   * @param {Pick<Settings, "frames" | "fps">} settings
   */
  write({ frames, fps }) {
    this.#choose((frames ?? 1) > 1);
    if (frames !== undefined) this.#frames.value = String(frames);
    this.#rate.value = String(fps ?? "");
    this.continueFrom(undefined);
    for (const field of this.fields.values()) field.setFault(undefined);
  }

  /**
   * Sets the frames that the next clip continues, and its length after them.
   *
   * @param {Context | undefined} context
   */
  continueFrom(context) {
    this.#context = context;
    this.#drop.hidden = context === undefined;
    this.#given.textContent = "";
    this.#bound();
    if (context === undefined) return;
    this.#choose(true);
    const { title, clip } = context;
    const given = clip.frames * clip.framesPerCode;
    const most = Number(this.#frames.max);
    const whole = given + (this.#form?.frames ?? given);
    this.#frames.value = String(Math.min(most, whole));
    this.#given.textContent = `Continues ${
      countText(given, "frame")
    } of “${title}”; they count among its frames, and set its size.`;
  }

  /** Greatest length of a clip, in frames of pixels. */
  get most() {
    return this.#form?.max_frames ?? MAX_FRAMES;
  }

  #bound() {
    const each = framesPerCode(this.#form);
    const { clip } = this.#context ?? {};
    const given = clip === undefined ? 0 : clip.frames * clip.framesPerCode;
    const least = Math.max(2, given + 1);
    this.#frames.min = String(Math.ceil(least / each) * each);
    this.#frames.max = String(this.most);
    this.#frames.step = String(each);
  }

  /** @param {boolean} clip */
  #choose(clip) {
    this.#picture.checked = !clip;
    this.#clip.checked = clip;
    this.#showKind();
  }

  #showKind() {
    this.#lengths.hidden = !this.chosen;
    // A hidden field must not hold the form up.
    this.#frames.disabled = this.#rate.disabled = !this.chosen;
    this.#onKind();
  }

  /** @param {boolean} checked */
  #choice(checked) {
    return element("input", {
      type: "radio",
      name: this.#kind,
      checked,
      onchange: () => this.#showKind(),
    });
  }
}
