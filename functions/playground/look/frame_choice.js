/**
 * The choice of a clip's frame, whose cells are shown like a picture's.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { stillsOf } from "../clips/open_clip.js";
import { cutClip } from "../logic/clip_codes.js";
import { cutScores } from "../logic/scores.js";
import { element } from "../parts/element.js";
import { FrameControl } from "../parts/frame_control.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/clip_codes.js").ClipCodes} ClipCodes
 */

/** A slider of frames; hidden for pictures. */
export class FrameChoice {
  #control = new FrameControl((index) => this.#onShow(index));
  root = element(
    "div",
    { class: "frame-choice", hidden: true },
    this.#control.root,
  );
  #choose;
  /** @type {ClipCodes | undefined} */
  #clip;
  /** @type {import("../shell/shell.js").Scores | undefined} */
  #scores;
  /** @type {(index: number) => void} */
  #onShow = () => {};

  /**
   * @param {(picture: Picture | undefined) => void} choose Called with a picture
   *   that is no clip, or with a frame of one.
   */
  constructor(choose) {
    this.#choose = choose;
  }

  /**
   * Begins with another picture; a clip begins with its first frame.
   *
   * @param {Picture | undefined} picture
   */
  async show(picture) {
    this.pause();
    this.#onShow = () => {};
    this.#clip = undefined;
    this.root.hidden = picture?.clip === undefined;
    if (picture?.clip === undefined) return this.#choose(picture);
    const { clip } = picture;
    this.#scores = picture.scores;
    /** @param {number} index */
    const show = (index) => {
      const file = stills[index * clip.framesPerCode] ?? picture.file;
      const scores = this.#scores;
      const whole = { ...picture, ...(scores && { scores }), clip };
      this.#choose(frameOf(whole, index, file));
    };
    this.#clip = clip;
    this.#onShow = show;
    const stills = await stillsOf(picture.file);
    if (this.#onShow !== show) return;
    this.#control.reset(
      clip.frames,
      (clip.fps ?? 8) / clip.framesPerCode,
    );
  }

  /**
   * Sets the scores of all frames.
   *
   * @param {ClipCodes} clip Clip that they belong to; those of an earlier one
   *   are late.
   * @param {import("../shell/shell.js").Scores} scores
   */
  setScores(clip, scores) {
    if (this.#clip !== clip) return;
    this.#scores = scores;
    this.#control.show(this.#control.index);
  }

  /** Stops at the current frame. */
  pause() {
    this.#control.pause();
  }
}

/**
 * Returns a frame of codes as a picture with codes and scores of its own.
 *
 * @param {Picture & { clip: ClipCodes }} picture
 * @param {number} index
 * @param {Blob} file File of the frame.
 * @returns {Picture}
 */
export function frameOf({ clip, scores, ...picture }, index, file) {
  const { height, width, codes } = cutClip(clip, index, 1);
  const cells = height * width;
  return {
    ...picture,
    clip,
    file,
    title: `${picture.title}, frame ${index + 1}`,
    grid: { height, width, codes },
    ...(scores && { scores: cutScores(scores, index * cells, cells) }),
  };
}
