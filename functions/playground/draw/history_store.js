/**
 * The history of pictures in IndexedDB, bounded in pictures and in bytes; it
 * survives reloads.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { paramsFromSettings } from "../logic/settings.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

const NAME = "emu3";
const TABLE = "pictures";

/** Limit of stored pictures. */
export const MAX_PICTURES = 60;

/** Approximate limit of their files, codes and scores, in bytes. */
export const MAX_BYTES = 64e6;

/** The store of pictures. */
export class HistoryStore {
  /** @type {Promise<IDBDatabase> | undefined} */
  #database;

  /** @returns {Promise<Picture[]>} Pictures, latest first. */
  async all() {
    const stored = await this.#run("readonly", (table) => table.getAll());
    return stored.map(fromStored).sort(
      (/** @type {Picture} */ a, /** @type {Picture} */ b) =>
        b.createdAt - a.createdAt || a.imageIndex - b.imageIndex,
    );
  }

  /**
   * Returns the pictures of one request in order; empty if any of them is
   * missing.
   *
   * @param {import("../logic/settings.js").Settings} settings
   */
  async drawnBy(settings) {
    const address = paramsFromSettings(settings).toString();
    const pictures = (await this.all()).filter((picture) =>
      picture.settings !== undefined && isWhole(picture) &&
      paramsFromSettings(picture.settings).toString() === address
    );
    const found = Array.from(
      { length: settings.n ?? 1 },
      (_, i) => pictures.find(({ imageIndex }) => imageIndex === i),
    ).filter((picture) => picture !== undefined);
    return found.length === (settings.n ?? 1) ? found : [];
  }

  /**
   * Stores a picture and evicts the oldest ones beyond the limits.
   *
   * @param {Picture} picture
   */
  async add(picture) {
    await this.#run("readwrite", (table) => table.put(toStored(picture)));
    for (const { id } of superfluous(await this.all())) await this.delete(id);
  }

  /** @param {string} id */
  async delete(id) {
    await this.#run("readwrite", (table) => table.delete(id));
  }

  /** Deletes all pictures. */
  async clear() {
    await this.#run("readwrite", (table) => table.clear());
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(table: IDBObjectStore) => IDBRequest} use
   * @returns {Promise<any>}
   */
  async #run(mode, use) {
    this.#database ??= opened();
    const database = await this.#database;
    const transaction = database.transaction(TABLE, mode);
    const request = use(transaction.objectStore(TABLE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  }
}

/**
 * Returns the pictures that exceed the limits.
 *
 * @param {readonly Picture[]} pictures Pictures, latest first; the first always
 *   stays.
 * @returns {readonly Picture[]}
 */
export function superfluous(pictures) {
  let bytes = 0;
  const full = pictures.findIndex((picture, i) => {
    bytes += bytesOf(picture);
    return i > 0 && (i >= MAX_PICTURES || bytes > MAX_BYTES);
  });
  return full === -1 ? [] : pictures.slice(full);
}

/**
 * Returns a picture as it is stored: the first release named its scores
 * `judgements`.
 *
 * @param {Picture} picture
 */
function toStored({ scores, ...rest }) {
  return scores === undefined ? rest : { ...rest, judgements: scores };
}

/**
 * @param {Omit<Picture, "scores"> & { judgements?: Picture["scores"] }} stored
 * @returns {Picture}
 */
function fromStored({ judgements, ...rest }) {
  return judgements === undefined ? rest : { ...rest, scores: judgements };
}

/** @param {Picture} picture */
function isWhole({ wholeHeight, givenRows }) {
  return wholeHeight === undefined && givenRows === undefined;
}

/** @param {Picture} picture */
function bytesOf({ file, grid, clip, scores }) {
  const cells = (grid ?? clip)?.codes.length ?? 0;
  return file.size + 2 * cells +
    (scores === undefined ? 0 : cells * (8 + 6 * scores.rivals));
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
