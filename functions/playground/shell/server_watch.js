/**
 * Whether the server is there, and what it has loaded.
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
 * @typedef {object} Model As `/v1/models` lists it.
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
 * @property {number | null} max_images Pictures that one question may be about.
 * @property {{ max_body_bytes: number, max_pixels: number, max_frames: number }} limits
 * @property {string[]} subjects Things that it can draw, where they are few.
 * @property {string[]} known_words All words of its prompts, where they are few.
 * @property {Defaults} [defaults]
 *
 * @typedef {object} ServerState
 * @property {"unknown" | "away" | "refusing" | "loading" | "failed" | "ready"} state
 * @property {string} [reason] Of what keeps it from being ready.
 * @property {readonly Model[]} models
 */

/** How often it is asked, by its state. */
const PACE_MS = {
  unknown: 500,
  loading: 500,
  away: 1000,
  refusing: 5000,
  failed: 5000,
  ready: 20_000,
};

/** What is known of the server, asked for again and again. */
export class ServerWatch {
  /** @type {Store<ServerState>} */
  state = new Store(
    /** @type {ServerState} */ ({ state: "unknown", models: [] }),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<void> | undefined} */
  #looking;

  /** Asks now; several that ask at once share the answer. */
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
   * Looks until the server is ready.
   *
   * @param {AbortSignal} signal
   */
  async whenReady(signal) {
    await this.look();
    await this.state.when(({ state }) => state === "ready", signal);
  }

  /**
   * The first model that can do this.
   *
   * @param {string} capability Such as `generate`.
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
    const reason = failed.reason ?? "the server's log says why";
    return { state: "failed", reason, models };
  }
  const loading = models.some(({ state }) => state === "loading");
  return { state: loading ? "loading" : "ready", models };
}

/**
 * @param {unknown} error
 * @param {readonly Model[]} models As they were known.
 * @returns {ServerState}
 */
function absence(error, models) {
  // What has no code is the word of a proxy whose server is away.
  return error instanceof ProblemError && error.code !== ""
    ? { state: "refusing", reason: error.message, models }
    : { state: "away", reason: "The server cannot be reached.", models };
}
