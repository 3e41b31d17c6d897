/**
 * The pictures that a question is about, in order, and their earlier answers.
 *
 * A picture is identified by its codes: they are computed once for all
 * questions, and drawn and uploaded pictures can be mixed. If the server offers
 * no encoding, the file identifies it.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {object} QuestionPicture
 * @property {string} title Title for display.
 * @property {Blob} file File for display.
 * @property {{ height: number, width: number, codes: Uint16Array }} [grid]
 *   Codes; undefined if the server offers no encoding.
 *
 * @typedef {object} Answer
 * @property {string} question
 * @property {string} text
 * @property {string} facts
 */

/** Upper limit of pictures in a question. */
export const MAX_PICTURES = 8;

/** Pictures and their answers. */
export class AskedPictures {
  /** @type {readonly QuestionPicture[]} */
  #pictures = [];
  /** @type {Map<string, Answer[]>} */
  #answers = new Map();
  /** @type {WeakMap<Blob, string>} */
  #names = new WeakMap();
  #count = 0;

  /** Pictures in order. */
  get all() {
    return this.#pictures;
  }

  /** @param {readonly QuestionPicture[]} pictures */
  set(pictures) {
    this.#pictures = pictures.slice(0, MAX_PICTURES);
  }

  /**
   * @param {QuestionPicture} picture
   * @returns {boolean} False if there is no room.
   */
  add(picture) {
    if (this.#pictures.length >= MAX_PICTURES) return false;
    this.#pictures = [...this.#pictures, picture];
    return true;
  }

  /** @param {QuestionPicture} picture */
  remove(picture) {
    this.#pictures = this.#pictures.filter((other) => other !== picture);
  }

  /**
   * Answers about exactly these pictures, oldest first.
   *
   * @returns {readonly Answer[]}
   */
  get answers() {
    return this.#answersOf(this.#pictures);
  }

  /**
   * @param {Answer} answer
   * @param {readonly QuestionPicture[]} pictures Pictures of that answer; the
   *   selection may have changed since.
   */
  keep(answer, pictures) {
    const before = this.#answersOf(pictures);
    this.#answers.set(this.#keyOf(pictures), [...before, answer]);
  }

  /** Deletes the answers about these pictures. */
  forget() {
    this.#answers.delete(this.#keyOf(this.#pictures));
  }

  /** @param {readonly QuestionPicture[]} pictures */
  #answersOf(pictures) {
    return this.#answers.get(this.#keyOf(pictures)) ?? [];
  }

  /** @param {readonly QuestionPicture[]} pictures */
  #keyOf(pictures) {
    return pictures.map((picture) => this.#nameOf(picture)).join(";");
  }

  /** @param {QuestionPicture} picture */
  #nameOf({ file, grid }) {
    if (grid !== undefined) return grid.codes.join();
    const name = this.#names.get(file) ?? `file ${++this.#count}`;
    this.#names.set(file, name);
    return name;
  }
}
