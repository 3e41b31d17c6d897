/**
 * The form of a drawing's settings.
 *
 * An empty field stands for the checkpoint's default, its placeholder.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { AdapterField } from "../parts/adapter_field.js";
import { idle } from "../parts/later.js";
import { RatioField } from "./ratio_field.js";
import { SeedField } from "./seed_field.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("../shell/server_watch.js").Model} Model
 * @typedef {Pick<Settings, "frames" | "fps" | "model">} ClipSettings
 */

/** Bounds of numbers, as in the API. */
const BOUNDS = {
  "guidance_scale": { label: "Guidance", min: 1, max: 100, step: "any" },
  temperature: { label: "Temperature", min: 0, max: 100, step: "any" },
  "top_k": { label: "Top-k", min: 0, max: 1_000_000, step: "1" },
  "top_p": { label: "Top-p", min: 0, max: 1, step: "any" },
};

/** The fields and their values. */
export class SettingsForm {
  /** Container of all fields, to be put into a form. */
  root;
  /** Fields by their names in the API. */
  fields;
  #prompt = element("textarea", {
    rows: 3,
    maxLength: 32768,
    required: true,
    spellcheck: true,
  });
  /** Subjects and words of a small model; loaded if the model lists some. */
  #known = element("div");
  /** @type {Promise<import("./known_things.js").KnownThings | undefined> | undefined} */
  #knownThings;
  #negative = element("textarea", { rows: 2, maxLength: 32768 });
  #useNegative = element("input", { type: "checkbox" });
  #ratio = new RatioField();
  #seed = new SeedField();
  #adapter = new AdapterField();
  /** Choice of a clip; loaded if a model draws clips. */
  #clipSlot = element("div", { hidden: true });
  /** @type {import("../clips/clip_fields.js").ClipFields | undefined} */
  #clips;
  /** Settings of a clip without fields. @type {ClipSettings} */
  #clipSettings = {};
  #strategy = element(
    "select",
    {},
    element("option", { value: "" }, "Default of the server"),
    element(
      "option",
      { value: "autoregressive" },
      "Autoregressive (one code at a time)",
    ),
    element("option", { value: "jacobi" }, "Jacobi (same result, faster)"),
    element(
      "option",
      { value: "zipar" },
      "ZipAR (several rows at once, approximate)",
    ),
  );
  #n = element("input", {
    type: "number",
    min: "1",
    max: "8",
    step: "1",
    value: "1",
  });
  /** @type {Record<keyof typeof BOUNDS, HTMLInputElement>} */
  #numbers;
  #examples = element("div", {
    class: "chips",
    role: "group",
    "aria-label": "Example prompts for this model",
  });
  /** @type {(text: string) => void} */
  #onExample;

  /**
   * @param {(text: string) => void} onExample Called with the chosen example.
   */
  constructor(onExample) {
    this.#onExample = onExample;
    const numbers = Object.entries(BOUNDS).map(
      ([name, { label, ...bounds }]) => {
        const input = element("input", {
          type: "number",
          inputMode: "decimal",
          min: String(bounds.min),
          max: String(bounds.max),
          step: bounds.step,
        });
        return /** @type {const} */ ([name, new Field(label, input), input]);
      },
    );
    this.#numbers =
      /** @type {Record<keyof typeof BOUNDS, HTMLInputElement>} */ (
        Object.fromEntries(numbers.map(([name, , input]) => [name, input]))
      );
    const prompt = new Field("Prompt", this.#prompt);
    this.#prompt.addEventListener("keydown", (event) => {
      // Shift+Enter inserts a line break.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#prompt.form?.requestSubmit();
    });
    const negative = new Field("Negative prompt", this.#negative, {
      class: "wide",
    });
    const n = new Field("Pictures", this.#n);
    const strategy = new Field("Strategy", this.#strategy, { class: "wide" });
    this.#useNegative.addEventListener("change", () => this.#offerNegative());
    /** @type {Map<string, Field>} */
    this.fields = new Map([
      ["prompt", prompt],
      ["negative_prompt", negative],
      ["ratio", this.#ratio.field],
      ["height", this.#ratio.field],
      ["width", this.#ratio.field],
      ["image_area", this.#ratio.field],
      ["seed", this.#seed.field],
      ["strategy", strategy],
      ["adapter", this.#adapter.field],
      ["n", n],
      ...numbers.map(([name, field]) => /** @type {const} */ ([name, field])),
    ]);
    const field = (/** @type {string} */ name) => this.fields.get(name)?.root;
    this.root = element(
      "div",
      { class: "stack" },
      prompt.root,
      this.#examples,
      this.#known,
      this.#clipSlot,
      element(
        "div",
        { class: "fields" },
        this.#ratio.root,
        this.#seed.field.root,
        this.#adapter.field.root,
      ),
      element(
        "details",
        { class: "more" },
        element("summary", {}, "More settings"),
        element(
          "div",
          { class: "fields" },
          field("guidance_scale"),
          field("temperature"),
          field("top_k"),
          field("top_p"),
          n.root,
          strategy.root,
          element(
            "label",
            { class: "check wide" },
            this.#useNegative,
            "Custom negative prompt",
          ),
          negative.root,
        ),
      ),
    );
    this.#offerNegative();
  }

  /**
   * Reads the settings of the form.
   *
   * @returns {Settings} Settings with a seed, which is random unless locked.
   */
  read() {
    /** @type {Settings} */
    const settings = {
      prompt: this.#prompt.value,
      ...this.#ratio.read(),
      seed: this.#seed.take(),
      ...this.#clipSettings,
      ...this.#clips?.read(),
    };
    if (this.#useNegative.checked) {
      settings.negative_prompt = this.#negative.value;
    }
    for (const [name, input] of this.#numberInputs()) {
      if (input.value !== "") settings[name] = Number(input.value);
    }
    if (this.#strategy.value !== "") settings.strategy = this.#strategy.value;
    const adapter = this.#adapter.read();
    if (adapter !== undefined) settings.adapter = adapter;
    if (this.#n.value !== "" && this.#n.value !== "1") {
      settings.n = Number(this.#n.value);
    }
    return settings;
  }

  /**
   * Fills the form; a seed is locked.
   *
   * @param {Settings} settings
   */
  write(settings) {
    this.#prompt.value = settings.prompt;
    this.#checkKnown();
    this.#ratio.write(settings);
    this.#seed.write(settings.seed);
    this.#useNegative.checked = settings.negative_prompt !== undefined;
    this.#negative.value = settings.negative_prompt ?? "";
    this.#offerNegative();
    for (const [name, input] of this.#numberInputs()) {
      input.value = String(settings[name] ?? "");
    }
    this.#strategy.value = settings.strategy ?? "";
    this.#adapter.write(settings.adapter);
    this.#n.value = String(settings.n ?? 1);
    const { frames, fps, model } = settings;
    this.#clipSettings = {
      ...(frames !== undefined && { frames }),
      ...(fps !== undefined && { fps }),
      ...(model !== undefined && { model }),
    };
    this.#writeClip();
    for (const field of this.fields.values()) field.setFault(undefined);
  }

  /**
   * Adds the fields of clips.
   *
   * @param {import("../clips/clip_fields.js").ClipFields} clips
   */
  addClips(clips) {
    this.#clips = clips;
    this.#clipSlot.append(clips.root);
    this.#clipSlot.hidden = false;
    for (const [name, field] of clips.fields) this.fields.set(name, field);
    this.#writeClip();
  }

  /** @param {string | undefined} model Model to request; undefined for the default. */
  setModel(model) {
    this.#clipSettings = model === undefined ? {} : { model };
  }

  #writeClip() {
    const settings = this.#clipSettings;
    if (this.#clips === undefined) return;
    // The fields have it from now on.
    this.#clipSettings = {};
    this.#clips.write(settings);
  }

  /**
   * Shows the model's defaults in empty fields.
   *
   * @param {Model | undefined} model
   */
  describe(model) {
    const defaults = model?.defaults;
    void this.#describeKnown(model);
    this.#adapter.describe(model);
    for (const [name, input] of this.#numberInputs()) {
      const value = defaults?.[name];
      input.placeholder = value === undefined ? "default" : String(value);
    }
    this.#negative.placeholder = defaults?.negative_prompt || "nothing";
    const examples = model?.examples ?? [];
    const shown = [...this.#examples.children].map((chip) => chip.textContent);
    if (shown.join("\n") === examples.join("\n")) return;
    this.#examples.replaceChildren(...examples.map((text) =>
      element("button", {
        type: "button",
        onclick: () => {
          this.#prompt.value = text;
          this.#checkKnown();
          this.#onExample(text);
        },
      }, text)
    ));
  }

  /** @param {Model | undefined} model */
  async #describeKnown(model) {
    if (this.#knownThings === undefined && !model?.subjects.length) return;
    this.#knownThings ??= idle().then(() => import("./known_things.js")).then(
      ({ KnownThings }) => {
        const known = new KnownThings(this.#prompt);
        this.#known.append(known.root);
        return known;
      },
      // The server is away; the next description retries.
      () => this.#knownThings = undefined,
    );
    (await this.#knownThings)?.describe(model);
  }

  /** Compares the prompt with the known words after a change by code. */
  #checkKnown() {
    void this.#knownThings?.then((known) => known?.check());
  }

  /** @returns {[keyof typeof BOUNDS, HTMLInputElement][]} */
  #numberInputs() {
    return /** @type {[keyof typeof BOUNDS, HTMLInputElement][]} */ (
      Object.entries(this.#numbers)
    );
  }

  #offerNegative() {
    const field = this.fields.get("negative_prompt");
    if (field) field.root.hidden = !this.#useNegative.checked;
  }
}
