/**
 * The shell: the state and services that views share.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { formatRoute } from "./route.js";
import { ServerWatch } from "./server_watch.js";
import { Store } from "./store.js";

/**
 * @typedef {object} Scores Scores of a picture's cells.
 * @property {Float32Array} logprobs Logprobs of codes; NaN if unknown.
 * @property {Float32Array} entropies Entropies in nats; NaN if unknown.
 * @property {number} rivals Count of most likely codes per cell.
 * @property {Uint16Array} codes Likely codes, `[cells, rivals]`, best first.
 * @property {Float32Array} rivalLogprobs Their logprobs, `[cells, rivals]`.
 *
 * @typedef {object} Picture A picture of any origin.
 * @property {string} id
 * @property {number} createdAt Creation time in milliseconds since 1970.
 * @property {string} title Description for display.
 * @property {Blob} file File as the server or the user provided it.
 * @property {{ height: number, width: number, codes: Uint16Array }} [grid]
 *   Codes, if they are known.
 * @property {Scores} [scores] Scores, if they were requested.
 * @property {import("../logic/settings.js").Settings} [settings] Settings, if
 *   it was drawn.
 * @property {string} [model]
 * @property {number} [wholeHeight] Height in codes of the whole, if incomplete.
 * @property {number} [givenRows] Count of given rows, if not all were drawn.
 * @property {number} imageIndex Index in its request.
 * @property {import("../logic/clip_codes.js").ClipCodes} [clip] Codes, if it is
 *   a clip: its file is an APNG of whole frames, and `grid` is absent.
 */

/** The context of a view. */
export class Shell {
  /** Watch of the server's state and models. */
  server = new ServerWatch();
  /**
   * Current picture: the last that was drawn, chosen or opened.
   *
   * @type {Store<Picture | undefined>}
   */
  picture = new Store(/** @type {Picture | undefined} */ (undefined));
  /** @type {HTMLElement} */
  #live;

  /** @param {HTMLElement} live Live region for screen readers. */
  constructor(live) {
    this.#live = live;
  }

  /** Current picture, unless it is a clip. */
  get still() {
    const { value } = this.picture;
    return value?.clip ? undefined : value;
  }

  /**
   * Announces a text to screen readers, politely.
   *
   * @param {string} text
   */
  announce(text) {
    this.#live.textContent = text;
  }

  /**
   * Creates the retry policy of a view, whose notice shows waits.
   *
   * @param {import("../parts/notice.js").Notice} notice
   * @param {AbortSignal} signal
   * @returns {import("../api/retry_policy.js").RetryPolicy}
   */
  retryPolicy(notice, signal) {
    return {
      signal,
      onWait: (wait) => notice.tellWait(wait),
      whenBack: () => this.server.whenReady(signal),
    };
  }

  /**
   * Opens a view.
   *
   * @param {string} view
   * @param {URLSearchParams} [params]
   */
  open(view, params) {
    location.hash = formatRoute(view, params);
  }
}
