/**
 * The pictures that a question is about, in order, and what was asked about
 * them.
 *
 * Each is known by its codes: they are made once, however often it is asked
 * about, and drawn and chosen pictures go together. Where the server makes
 * none, by its file.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {object} AskedPicture
 * @property {string} title For people.
 * @property {Blob} file To be shown.
 * @property {{ height: number, width: number, codes: Uint16Array }} [grid] Its codes; unknown where the server makes none.
 *
 * @typedef {object} Answer
 * @property {string} question
 * @property {string} text
 * @property {string} facts
 */

/** How many a question may be about. */
export const MAX_PICTURES = 8;

/** The pictures, and their questions. */
export class AskedPictures {
  /** @type {readonly AskedPicture[]} */
  #pictures = [];
  /** @type {Map<string, Answer[]>} */
  #answers = new Map();
  /** @type {WeakMap<Blob, string>} */
  #names = new WeakMap();
  #count = 0;

  /** In order. */
  get all() {
    return this.#pictures;
  }

  /** @param {readonly AskedPicture[]} pictures */
  set(pictures) {
    this.#pictures = pictures.slice(0, MAX_PICTURES);
  }

  /**
   * @param {AskedPicture} picture
   * @returns {boolean} False when there is no room.
   */
  add(picture) {
    if (this.#pictures.length >= MAX_PICTURES) return false;
    this.#pictures = [...this.#pictures, picture];
    return true;
  }

  /** @param {AskedPicture} picture */
  remove(picture) {
    this.#pictures = this.#pictures.filter((other) => other !== picture);
  }

  /**
   * What was asked about just these pictures, oldest first.
   *
   * @returns {readonly Answer[]}
   */
  get answers() {
    return this.#answersOf(this.#pictures);
  }

  /**
   * @param {Answer} answer
   * @param {readonly AskedPicture[]} pictures That it is about: others may have come since.
   */
  keep(answer, pictures) {
    const before = this.#answersOf(pictures);
    this.#answers.set(this.#keyOf(pictures), [...before, answer]);
  }

  /** Forgets what was asked about these pictures. */
  forget() {
    this.#answers.delete(this.#keyOf(this.#pictures));
  }

  /** @param {readonly AskedPicture[]} pictures */
  #answersOf(pictures) {
    return this.#answers.get(this.#keyOf(pictures)) ?? [];
  }

  /** @param {readonly AskedPicture[]} pictures */
  #keyOf(pictures) {
    return pictures.map((picture) => this.#nameOf(picture)).join(";");
  }

  /** @param {AskedPicture} picture */
  #nameOf({ file, grid }) {
    if (grid !== undefined) return grid.codes.join();
    const name = this.#names.get(file) ?? `file ${++this.#count}`;
    this.#names.set(file, name);
    return name;
  }
}
