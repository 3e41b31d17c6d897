/**
 * The Chains view: starts workflows, and shows their steps.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { element } from "../parts/element.js";
import { Field, placeFaults } from "../parts/field.js";
import { namesFields, Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { ChainForm } from "./chain_form.js";
import { listChains, startChain } from "./chains_call.js";
import { forgetRun, keepRun, recentRuns } from "./recent_runs.js";
import { RunPanel } from "./run_panel.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("./chains_call.js").Chain} Chain
 * @typedef {import("./recent_runs.js").Run} Run
 */

/** @type {import("../shell/views.js").Mount} */
export async function mount(root, shell) {
  const view = new ChainsView(shell);
  root.append(view.root);
  await view.load();
  return { open: () => view.open(), close: () => view.close() };
}

/** The Chains view. */
class ChainsView {
  #shell;
  #notice = new Notice();
  #chain = element("select", { onchange: () => this.#choose() });
  #words = element("p", { class: "hint" });
  #place = element("div");
  #start = element("button", { class: "primary" }, "Start");
  #list = element("ul", { class: "runs" });
  #shown = element("div", { class: "stack" });
  #runner = new TaskRunner((running) => this.#start.disabled = running);
  /** @type {Map<string, Chain>} */
  #chains = new Map();
  /** @type {ChainForm | undefined} */
  #form;
  /** @type {RunPanel | undefined} */
  #panel;
  root;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.root = element(
      "div",
      { class: "columns" },
      element(
        "form",
        {
          class: "panel stack",
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            this.#startNow();
          },
        },
        new Field("Chain", this.#chain).root,
        this.#words,
        this.#place,
        element("div", { class: "actions" }, this.#start),
        this.#notice.root,
      ),
      element(
        "div",
        { class: "stack" },
        this.#shown,
        element(
          "section",
          { class: "panel stack", "aria-labelledby": "runs-title" },
          element("h3", { id: "runs-title" }, "Recent runs"),
          this.#list,
        ),
      ),
    );
  }

  /** Loads the chains of the server. */
  async load() {
    try {
      const chains = await listChains();
      this.#chains = new Map(chains.map((chain) => [chain.chain, chain]));
    } catch (error) {
      this.#notice.showError(error);
    }
    this.#start.disabled = this.#chains.size === 0;
    this.#chain.replaceChildren(
      ...[...this.#chains.keys()].map((name) =>
        element("option", { value: name }, name)
      ),
    );
    this.#choose();
    this.#showRuns();
  }

  open() {
    this.#panel?.watch();
  }

  close() {
    this.#panel?.stop();
  }

  /** Shows the form of the chosen chain. */
  #choose() {
    const chain = this.#chains.get(this.#chain.value);
    if (chain === undefined) return;
    this.#notice.clear();
    this.#words.textContent = chain.description;
    this.#form = new ChainForm(chain, () => this.#shell.still);
    this.#place.replaceChildren(this.#form.root);
  }

  #startNow() {
    const form = this.#form;
    if (form === undefined) return;
    const chain = this.#chain.value;
    this.#notice.clear();
    void this.#runner.run(async (signal) => {
      const input = await form.read();
      const { id } = await withRetries(
        () => startChain(chain, input, signal),
        this.#shell.retryPolicy(this.#notice, signal),
      );
      const run = { chain, id, title: titleOf(input), startedAt: Date.now() };
      keepRun(run);
      this.#show(run);
      this.#showRuns();
    }, (error) => {
      if (!namesFields(error)) return this.#notice.showError(error);
      const [other] = placeFaults(error.errors, form.fields);
      if (other === undefined) return;
      this.#notice.show(`${other.pointer}: ${other.detail}`, { fault: true });
    });
  }

  /** @param {Run} run */
  #show(run) {
    this.#panel?.stop();
    this.#panel = new RunPanel(run, this.#shell);
    this.#shown.replaceChildren(this.#panel.root);
    this.#panel.watch();
  }

  #showRuns() {
    const runs = recentRuns(Date.now());
    this.#list.replaceChildren(
      ...runs.map((run) =>
        element(
          "li",
          {},
          element("button", {
            type: "button",
            class: "small",
            onclick: () => this.#show(run),
          }, `${run.chain}: ${run.title}`),
          element("button", {
            type: "button",
            class: "small",
            "aria-label": `Remove ${run.chain}: ${run.title}`,
            onclick: () => {
              forgetRun(run.id, Date.now());
              this.#showRuns();
            },
          }, "×"),
        )
      ),
    );
    if (runs.length === 0) {
      this.#list.append(
        element("li", { class: "hint" }, "No runs yet."),
      );
    }
  }
}

/**
 * Returns the words by which a list shows an input.
 *
 * @param {Record<string, unknown>} input
 */
function titleOf({ prompt, prompts, style, data }) {
  if (typeof prompt === "string") return prompt;
  if (Array.isArray(prompts)) {
    const [first = ""] = prompts;
    return prompts.length > 1
      ? `${first} and ${prompts.length - 1} more`
      : first;
  }
  if (typeof data === "string") return data;
  return typeof style === "string" ? `a picture, ${style}` : "a picture";
}
