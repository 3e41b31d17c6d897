/**
 * The watch of the server's state and models.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { ProblemError } from "../api/problem.js";
import { getJson } from "../api/request.js";
import { Store } from "./store.js";

/**
 * @typedef {{ place: string, bytes: number, total_bytes: number | null, bytes_per_second: number | null }} Transfer
 * @typedef {{ name: string, started_at: number, seconds?: number, transfer?: Transfer }} Phase
 * @typedef {{ guidance_scale: number, negative_prompt: string, temperature: number, top_k: number, top_p: number, template: string, strategy: string }} Defaults
 *
 * @typedef {object} Model Model as listed by `/v1/models`.
 * @property {string} id
 * @property {"unloaded" | "loading" | "ready" | "failed"} state
 * @property {string} [reason]
 * @property {string | null} revision
 * @property {string[]} capabilities
 * @property {string} precision
 * @property {string} device
 * @property {Phase[]} phases
 * @property {number | null} image_area
 * @property {number | null} context_length
 * @property {string[]} examples
 * @property {number | null} max_images Limit of pictures in one question.
 * @property {{ max_body_bytes: number, max_pixels: number, max_frames: number }} limits
 * @property {string[]} subjects Subjects that it can draw, if they are few.
 * @property {string[]} known_words All words of its prompts, if they are few.
 * @property {string[]} adapters Names of its adapters.
 * @property {Defaults} [defaults]
 * @property {import("../logic/clip_codes.js").ClipForm} [clips] Its clips, if
 *   it draws some.
 *
 * @typedef {object} ServerState
 * @property {"unknown" | "away" | "refusing" | "loading" | "failed" | "ready"} state
 * @property {string} [reason] Cause of not being ready.
 * @property {readonly Model[]} models
 */

/** Polling interval by state, in milliseconds. */
const PACE_MS = {
  unknown: 500,
  loading: 500,
  away: 1000,
  refusing: 5000,
  failed: 5000,
  ready: 20_000,
};

/** The state of the server, polled repeatedly. */
export class ServerWatch {
  /** @type {Store<ServerState>} */
  state = new Store(
    /** @type {ServerState} */ ({ state: "unknown", models: [] }),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<void> | undefined} */
  #looking;

  /** Polls now; concurrent calls share one request. */
  async look() {
    this.#looking ??= this.#ask().finally(() => this.#looking = undefined);
    await this.#looking;
  }

  async #ask() {
    clearTimeout(this.#timer);
    const models = this.state.value.models;
    const next = await getJson("/v1/models").then(
      ({ data }) => stateOf(data),
      (error) => absence(error, models),
    );
    this.state.set(next);
    this.#timer = setTimeout(() => void this.look(), PACE_MS[next.state]);
  }

  /**
   * Waits until the server is ready.
   *
   * @param {AbortSignal} signal
   */
  async whenReady(signal) {
    await this.look();
    await this.state.when(({ state }) => state === "ready", signal);
  }

  /**
   * Returns the first model with a capability.
   *
   * @param {string} capability Capability, such as `generate`.
   */
  model(capability) {
    return this.state.value.models.find(({ capabilities }) =>
      capabilities.includes(capability)
    );
  }
}

/**
 * @param {readonly Model[]} models
 * @returns {ServerState}
 */
export function stateOf(models) {
  const failed = models.find(({ state }) => state === "failed");
  if (failed !== undefined) {
    const reason = failed.reason ?? "see the server's log";
    return { state: "failed", reason, models };
  }
  const loading = models.some(({ state }) => state === "loading");
  return { state: loading ? "loading" : "ready", models };
}

/**
 * @param {unknown} error
 * @param {readonly Model[]} models Models at the last poll.
 * @returns {ServerState}
 */
function absence(error, models) {
  // Problems without a code come from a proxy whose server is away.
  return error instanceof ProblemError && error.code !== ""
    ? { state: "refusing", reason: error.message, models }
    : { state: "away", reason: "The server is not reachable.", models };
}
