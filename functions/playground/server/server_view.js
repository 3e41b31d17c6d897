/**
 * The Server view: loaded models, their start and their load, live.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { getText } from "../api/request.js";
import { element } from "../parts/element.js";
import { Notice } from "../parts/notice.js";
import { ModelCard } from "./model_card.js";
import { Pulse } from "./pulse.js";
import { sampleOf } from "./throughput.js";

/** @typedef {import("../shell/shell.js").Shell} Shell */

/** Interval between two polls while the view is open, in milliseconds. */
const PACE_MS = 2000;

/** @type {import("../shell/views.js").Mount} */
export function mount(root, shell) {
  const view = new ServerView(shell);
  root.append(view.root);
  return { open: () => view.open(), close: () => view.close() };
}

/** The Server view. */
class ServerView {
  #shell;
  #notice = new Notice();
  #pulse = new Pulse();
  #models = element("div", { class: "models" });
  /** @type {Map<string, ModelCard>} */
  #cards = new Map();
  /** @type {AbortController | undefined} */
  #looking;
  root;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.root = element(
      "div",
      { class: "stack" },
      this.#notice.root,
      this.#pulse.root,
      this.#models,
    );
    shell.server.state.watch((state) => this.#show(state));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#stop();
      else if (this.root.closest("[hidden]") === null) this.#start();
    });
  }

  open() {
    if (!document.hidden) this.#start();
  }

  close() {
    this.#stop();
  }

  #start() {
    this.#stop();
    const controller = new AbortController();
    this.#looking = controller;
    void this.#look(controller.signal);
  }

  #stop() {
    this.#looking?.abort();
    this.#looking = undefined;
  }

  /** @param {AbortSignal} signal */
  async #look(signal) {
    while (!signal.aborted) {
      const [sample] = await Promise.all([
        getText("/metrics", { signal })
          .then((text) => sampleOf(text, performance.now()), () => undefined),
        this.#shell.server.look(),
      ]);
      if (signal.aborted) return;
      this.#pulse.add(sample);
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
  }

  /** @param {import("../shell/server_watch.js").ServerState} state */
  #show({ state, reason, models }) {
    if (reason === undefined) this.#notice.clear();
    else this.#notice.show(reason, { fault: state !== "loading" });
    const names = models.map(({ id }) => id);
    for (const [name, card] of this.#cards) {
      if (names.includes(name)) continue;
      card.root.remove();
      this.#cards.delete(name);
    }
    for (const model of models) {
      const card = this.#cards.get(model.id) ?? new ModelCard(model.id);
      if (!this.#cards.has(model.id)) this.#models.append(card.root);
      this.#cards.set(model.id, card);
      card.show(model);
    }
  }
}
