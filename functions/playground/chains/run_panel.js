/**
 * The panel of one run: its steps, with pictures as they come, and its result.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { currentKey } from "../api/key.js";
import { sleep, withRetries } from "../api/retry_policy.js";
import { element, saveAs } from "../parts/element.js";
import { Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import {
  cancelChain,
  indexPage,
  pathOf,
  stepPicture,
  watchChain,
} from "./chains_call.js";
import { StepRow } from "./step_row.js";

/**
 * @typedef {import("./chains_call.js").Workflow} Workflow
 * @typedef {import("./recent_runs.js").Run} Run
 */

/** First and longest pause between two looks, in milliseconds. */
const PACE_MS = 500;
const MAX_PACE_MS = 5000;

/** A run that is watched until its end. */
export class RunPanel {
  /** @type {Run} */
  run;
  #shell;
  #notice = new Notice();
  #state = element("p", { class: "hint" });
  #bar = element("progress", { hidden: true, "aria-label": "Progress" });
  #steps = element("ol", { class: "steps" });
  #answer = element("div", { class: "facts" });
  #cancel = element("button", {
    type: "button",
    hidden: true,
    onclick: () => void this.#cancelNow(),
  }, "Cancel");
  #page = element("button", {
    type: "button",
    hidden: true,
    onclick: () => void this.#openPage(),
  }, "Index page");
  #save = element("button", { type: "button", hidden: true }, "Save result");
  #runner = new TaskRunner(() => {});
  /** @type {Map<string, StepRow>} */
  #rows = new Map();
  root;

  /**
   * @param {Run} run
   * @param {import("../shell/shell.js").Shell} shell
   */
  constructor(run, shell) {
    this.run = run;
    this.#shell = shell;
    this.root = element(
      "section",
      { class: "panel stack run", "aria-label": `${run.chain}: ${run.title}` },
      element("h3", {}, run.title),
      this.#state,
      this.#bar,
      this.#notice.root,
      this.#steps,
      this.#answer,
      element(
        "div",
        { class: "actions" },
        this.#cancel,
        this.#page,
        this.#save,
      ),
    );
    this.#state.textContent = run.chain;
  }

  /** Watches the run until it ends or {@linkcode stop} is called. */
  watch() {
    void this.#runner.run(
      (signal) => this.#watch(signal),
      (error) => this.#notice.showError(error),
    );
  }

  /** Stops watching; the run goes on. */
  stop() {
    this.#runner.stop();
  }

  /** @param {AbortSignal} signal */
  async #watch(signal) {
    let pace = PACE_MS;
    let before = "";
    while (true) {
      const workflow = await this.#look(signal);
      this.#show(workflow, signal);
      if (workflow.status !== "running") {
        this.#shell.announce(`${this.run.chain} ${workflow.status}`);
        return;
      }
      const now = JSON.stringify([workflow.steps, workflow.progress]);
      pace = now === before ? Math.min(MAX_PACE_MS, 1.5 * pace) : PACE_MS;
      before = now;
      await sleep(pace, signal);
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Workflow>}
   */
  async #look(signal) {
    return await withRetries(
      () => watchChain(this.run, signal),
      this.#shell.retryPolicy(this.#notice, signal),
    );
  }

  /**
   * @param {Workflow} workflow
   * @param {AbortSignal} signal
   */
  #show(workflow, signal) {
    const { status, steps, progress, problem, output } = workflow;
    this.#state.textContent = `${this.run.chain} · ${status}`;
    this.#cancel.hidden = status !== "running";
    this.#showProgress(progress);
    for (const step of steps) {
      const row = this.#rows.get(step.name) ?? new StepRow();
      if (!this.#rows.has(step.name)) this.#steps.append(row.root);
      this.#rows.set(step.name, row);
      row.show(step);
      if (step.grid !== undefined) {
        void row.showPicture(() => this.#picture(step.grid ?? "", signal));
      }
    }
    this.#page.hidden = !steps.some(({ grid }) => grid !== undefined) &&
      progress === undefined;
    if (problem !== undefined) {
      this.#notice.show(problem.detail, { fault: true });
    }
    if (output !== undefined) this.#showOutput(output);
  }

  /** @param {Workflow["progress"]} progress */
  #showProgress(progress) {
    this.#bar.hidden = progress === undefined;
    if (progress === undefined) return;
    const { done, failed, total } = progress;
    this.#bar.max = total;
    this.#bar.value = done + failed;
    const faults = failed > 0 ? `, ${failed} failed` : "";
    this.#state.textContent += ` · ${done} of ${total}${faults}`;
  }

  /** @param {Record<string, unknown>} output */
  #showOutput(output) {
    this.#save.hidden = false;
    this.#save.onclick = () =>
      saveAs(
        JSON.stringify(output, undefined, 1),
        `${this.run.chain}-${this.run.id}.json`,
        "application/json",
      );
    this.#answer.replaceChildren(
      ...Object.entries(output).flatMap(([name, value]) => factOf(name, value)),
    );
  }

  /**
   * @param {string} grid
   * @param {AbortSignal} signal
   */
  async #picture(grid, signal) {
    return await withRetries(
      () => stepPicture(this.run, grid, signal),
      this.#shell.retryPolicy(this.#notice, signal),
    );
  }

  async #cancelNow() {
    this.#cancel.disabled = true;
    try {
      const workflow = await cancelChain(this.run);
      this.#show(workflow, new AbortController().signal);
    } catch (error) {
      this.#notice.showError(error);
    } finally {
      this.#cancel.disabled = false;
    }
  }

  /** Opens the index page, or saves it: a new tab would not send the key. */
  async #openPage() {
    const path = pathOf(this.run);
    if (currentKey() === undefined) {
      return void open(path, "_blank", "noopener");
    }
    try {
      const html = await indexPage(this.run);
      saveAs(html, `${this.run.chain}-${this.run.id}.html`, "text/html");
    } catch (error) {
      this.#notice.showError(error);
    }
  }
}

/**
 * Returns the rows of a value of an output: texts, numbers and lists of words.
 *
 * @param {string} name
 * @param {unknown} value
 * @returns {HTMLElement[]}
 */
function factOf(name, value) {
  // Pictures are shown with their steps.
  if (name === "grid" || name.endsWith(" grid")) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.length === 0 ? [] : [fact(name, value.join(", "))];
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([inner, item]) =>
      factOf(`${name} ${inner}`, item)
    );
  }
  if (typeof value === "object") return [];
  const text = typeof value === "number" && !Number.isInteger(value)
    ? value.toFixed(3)
    : String(value);
  return [fact(name, text)];
}

/**
 * @param {string} name
 * @param {string} text
 */
function fact(name, text) {
  return element(
    "p",
    { class: "fact" },
    element("b", {}, `${name.replaceAll("_", " ")}: `),
    text,
  );
}
