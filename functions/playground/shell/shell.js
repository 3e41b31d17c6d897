/**
 * What the views share.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { formatRoute } from "./route.js";
import { ServerWatch } from "./server_watch.js";
import { Store } from "./store.js";

/**
 * @typedef {object} Judgements What the model thought, cell by cell.
 * @property {Float32Array} logprobs Of the codes that stand there; NaN where nothing is known.
 * @property {Float32Array} entropies In nats; NaN where nothing is known.
 * @property {number} rivals How many of the strongest codes are listed a cell.
 * @property {Uint16Array} codes `[cells, rivals]`, strongest first.
 * @property {Float32Array} rivalLogprobs `[cells, rivals]`.
 *
 * @typedef {object} Picture A picture, from wherever it came.
 * @property {string} id
 * @property {number} createdAt In milliseconds since 1970.
 * @property {string} title What it shows, for people.
 * @property {Blob} file As the server made it, or as it was chosen.
 * @property {{ height: number, width: number, codes: Uint16Array }} [grid] Its codes, where they are known.
 * @property {Judgements} [judgements] Where they were asked for.
 * @property {import("../logic/settings.js").Settings} [settings] Where it was drawn from them.
 * @property {string} [model]
 * @property {number} [wholeHeight] In codes, of the picture that this is the beginning of.
 * @property {number} [givenRows] How many rows were given, where not all were drawn.
 * @property {number} imageIndex Which of its request.
 */

/** What a view is given. */
export class Shell {
  /** Whether the server is there, and what it has loaded. */
  server = new ServerWatch();
  /**
   * The picture at hand: whichever was drawn, chosen or opened last.
   *
   * @type {Store<Picture | undefined>}
   */
  picture = new Store(/** @type {Picture | undefined} */ (undefined));
  /** @type {HTMLElement} */
  #live;

  /** @param {HTMLElement} live An element that screen readers read when it changes. */
  constructor(live) {
    this.#live = live;
  }

  /**
   * Says something to screen readers, politely.
   *
   * @param {string} text
   */
  announce(text) {
    this.#live.textContent = text;
  }

  /**
   * How a view waits for the server: what for is told in its notice.
   *
   * @param {import("../parts/notice.js").Notice} notice
   * @param {AbortSignal} signal
   * @returns {import("../api/patience.js").Patience}
   */
  patience(notice, signal) {
    return {
      signal,
      onWait: (wait) => notice.tellWait(wait),
      whenBack: () => this.server.whenReady(signal),
    };
  }

  /**
   * Goes to a view.
   *
   * @param {string} view
   * @param {URLSearchParams} [params]
   */
  open(view, params) {
    location.hash = formatRoute(view, params);
  }
}
