/**
 * The Ask view: pictures on one side, questions and answers on the other.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { element } from "../parts/element.js";
import { AdapterField } from "../parts/adapter_field.js";
import { Field } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { answerTo } from "./ask_call.js";
import { AskedPictures } from "./question_pictures.js";
import { AnswerList } from "./answer_list.js";
import { PicturePanel } from "./picture_panel.js";
import { DESCRIBE, suggestions } from "./questions.js";

/** @typedef {import("../shell/shell.js").Shell} Shell */

/** Upper limit of an answer by default, in tokens. */
const MAX_TOKENS = 256;

/** @type {import("../shell/views.js").Mount} */
export function mount(root, shell) {
  const view = new AskView(shell);
  root.append(view.root);
  return { open: (params) => view.open(params) };
}

/** The Ask view. */
class AskView {
  #pictures = new AskedPictures();
  #shell;
  #notice = new Notice();
  #list = new AnswerList();
  #chips = element("div", {
    class: "chips",
    role: "group",
    "aria-label": "Example questions",
  });
  #question = element("textarea", {
    rows: 2,
    maxLength: 32_768,
    required: true,
  });
  #temperature = element("input", {
    type: "number",
    min: "0",
    max: "100",
    step: "0.1",
    value: "0",
  });
  #maxTokens = element("input", {
    type: "number",
    min: "1",
    max: "1000000",
    value: String(MAX_TOKENS),
  });
  #adapter = new AdapterField();
  #ask = element("button", { class: "primary" }, "Ask");
  #stop = element("button", {
    type: "button",
    hidden: true,
    onclick: () => this.#runner.stop(),
  }, "Stop");
  #forget = element("button", {
    type: "button",
    class: "small alone",
    hidden: true,
    onclick: () => this.#forgetAnswers(),
  }, "Clear answers");
  #runner = new TaskRunner((running) => this.#stop.hidden = !running);
  #panel;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#question.value = DESCRIBE;
    shell.server.state.watch(() =>
      this.#adapter.describe(shell.server.model("caption"))
    );
    this.#panel = new PicturePanel(
      this.#pictures,
      shell,
      () => this.#changed(),
    );
    this.root = element(
      "div",
      { class: "columns" },
      this.#panel.root,
      element(
        "div",
        { class: "stack" },
        this.#form(),
        element(
          "section",
          { class: "panel stack", "aria-labelledby": "answers-title" },
          element("h3", { id: "answers-title" }, "Answers"),
          this.#list.root,
          this.#forget,
        ),
      ),
    );
    this.#changed();
  }

  /**
   * Opens the view and makes the latest drawing available.
   *
   * @param {URLSearchParams} params `about=drawn` selects that drawing alone.
   */
  open(params) {
    if (params.get("about") === "drawn") this.#panel.takeCurrent();
    else this.#panel.offerCurrent();
  }

  #form() {
    const field = new Field("Question", this.#question);
    this.#question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      event.currentTarget instanceof HTMLTextAreaElement &&
        event.currentTarget.form?.requestSubmit();
    });
    return element(
      "form",
      {
        class: "panel stack",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void this.#askNow();
        },
      },
      field.root,
      this.#chips,
      element("div", { class: "actions" }, this.#ask, this.#stop),
      this.#notice.root,
      element(
        "details",
        {},
        element("summary", {}, "More settings"),
        element(
          "div",
          { class: "fields" },
          new Field("Temperature", this.#temperature, {
            hint: "0 always selects the most likely word.",
          }).root,
          new Field("Maximum tokens", this.#maxTokens).root,
          this.#adapter.field.root,
        ),
      ),
    );
  }

  /** Shows the questions of the pictures that are selected now. */
  #changed() {
    if (!this.#runner.running) this.#notice.clear();
    const { all, answers } = this.#pictures;
    this.#list.show(answers);
    this.#forget.hidden = answers.length === 0;
    const asked = answers.map(({ question }) => question);
    this.#chips.replaceChildren(
      ...suggestions(all.length, asked).map((question) =>
        element("button", {
          type: "button",
          onclick: () => {
            this.#question.value = question;
            void this.#askNow();
          },
        }, question)
      ),
    );
  }

  #forgetAnswers() {
    this.#runner.stop();
    this.#pictures.forget();
    this.#changed();
    this.#question.focus();
  }

  async #askNow() {
    // A question asked right after a drop is about the dropped picture.
    await this.#panel.settled;
    const { all } = this.#pictures;
    if (all.length === 0) {
      this.#notice.show("No picture yet: choose or draw one.", {
        fault: true,
      });
      return;
    }
    const question = {
      question: this.#question.value,
      temperature: Number(this.#temperature.value),
      maxTokens: Number(this.#maxTokens.value),
      adapter: this.#adapter.read(),
    };
    this.#notice.clear();
    void this.#runner.run(
      (signal) => this.#answer(all, question, signal),
      (error) => this.#notice.showError(error),
    );
  }

  /**
   * @param {readonly import("./question_pictures.js").QuestionPicture[]} pictures
   * @param {import("./ask_call.js").Question} question
   * @param {AbortSignal} signal
   */
  async #answer(pictures, question, signal) {
    const entry = this.#list.begin(question.question);
    try {
      const { text, facts } = await withRetries(
        () =>
          answerTo(pictures, question, {
            signal,
            onText: (text) => entry.write(text),
            onQueued: (ahead) => entry.queued(ahead),
          }),
        this.#shell.retryPolicy(this.#notice, signal),
      );
      entry.end(text, facts);
      this.#pictures.keep({
        question: question.question,
        text: text.trim(),
        facts,
      }, pictures);
      this.#shell.announce(`Answer: ${text.trim() || "nothing"}`);
      this.#changed();
    } catch (error) {
      entry.breakOff();
      throw error;
    }
  }
}
