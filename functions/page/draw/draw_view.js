/**
 * Draw: settings on one side, the picture as it comes on the other.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";
import { blobOf } from "../logic/base64.js";
import { wireGrid } from "../logic/drawn_rows.js";
import { secondsText } from "../logic/quantities.js";
import { paramsFromSettings, settingsFromParams } from "../logic/settings.js";
import { element, freshId } from "../parts/element.js";
import { placeFaults } from "../parts/field.js";
import { namesFields, Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { formatRoute } from "../shell/route.js";
import { draw } from "./drawing.js";
import { HistoryList } from "./history_list.js";
import { pictureOf, takeFiles } from "./open_file.js";
import { comeDecoded, Previews } from "./previews.js";
import { SharePanel } from "./share_panel.js";
import { SettingsForm } from "./settings_form.js";
import { Stage } from "./stage.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 */

/** Rivals of each code that a drawing is asked for. */
const RIVALS = 5;

/**
 * @param {HTMLElement} root
 * @param {Shell} shell
 * @returns {import("../shell/views.js").MountedView}
 */
export function mount(root, shell) {
  const view = new DrawView(root, shell);
  return { open: (params) => view.open(params) };
}

/** The view. */
class DrawView {
  #shell;
  #notice = new Notice();
  #stage = new Stage();
  #settings = new SettingsForm(() => this.#form.requestSubmit());
  #judged = element("input", { type: "checkbox", checked: true });
  #draw = element("button", { class: "primary" }, "Draw");
  #stop = element("button", {
    type: "button",
    hidden: true,
    onclick: () => this.#runner.stop(),
  }, "Stop");
  #share = new SharePanel();
  /** @type {HistoryList} */
  #history;
  #file = element("input", {
    id: freshId("file"),
    type: "file",
    class: "unseen",
    accept: "image/png,image/jpeg,image/webp,image/gif",
    onchange: () => {
      const file = this.#file.files?.[0];
      if (file !== undefined) this.#take(file);
      this.#file.value = "";
    },
  });
  #facts = element("p", { class: "facts quiet" });
  #save = element("a", { class: "button", download: "emu3.png" }, "Download");
  #result = element(
    "div",
    { class: "result", hidden: true },
    this.#facts,
    element(
      "div",
      { class: "actions" },
      this.#save,
      element("a", { class: "button", href: "#look" }, "Look inside"),
    ),
    this.#share.root,
  );
  #form = element(
    "form",
    {
      class: "panel stack",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.#begin();
      },
    },
    this.#settings.root,
    element(
      "label",
      { class: "check" },
      this.#judged,
      "Note probabilities, to look inside",
    ),
    element("div", { class: "actions" }, this.#draw, this.#stop),
  );
  #runner = new TaskRunner((running) => {
    this.#stop.hidden = !running;
    this.#draw.textContent = running ? "Draw anew" : "Draw";
  });

  /**
   * @param {HTMLElement} root
   * @param {Shell} shell
   */
  constructor(root, shell) {
    this.#shell = shell;
    this.#history = new HistoryList(
      (picture) => this.#openPicture(picture),
      (text) => shell.announce(text),
    );
    takeFiles(root, (file) => this.#take(file));
    root.append(
      element(
        "div",
        { class: "columns" },
        this.#form,
        element(
          "div",
          { class: "panel stack" },
          this.#notice.root,
          this.#stage.root,
          this.#result,
          element(
            "div",
            { class: "actions open" },
            this.#file,
            element("label", {
              class: "button small",
              for: this.#file.id,
            }, "Open a picture"),
            element(
              "span",
              { class: "quiet" },
              "or drop one: those made here bring their settings back.",
            ),
          ),
        ),
      ),
      this.#history.root,
    );
    shell.server.state.watch(() =>
      this.#settings.describe(shell.server.model("generate"))
    );
    shell.picture.watch((picture) => this.#show(picture));
  }

  /** @param {URLSearchParams} params Settings, where a link has them. */
  open(params) {
    const told = settingsFromParams(params);
    if (told === undefined) return;
    this.#settings.write(told.settings);
    if (told.grid === undefined) return;
    const { grid, settings } = told;
    void this.#runner.run(async (signal) => {
      const answer = await post("/v1/detokenize", {
        grid: wireGrid(grid, grid.height),
      }, { accept: "image/png", signal });
      const file = await answer.blob();
      await this.#put({ ...drawnNow(settings, 0), file, grid });
    }, (error) => this.#notice.tellError(error));
  }

  /** @param {File} file Dropped or chosen. */
  #take(file) {
    void this.#runner.run(
      async () => {
        const picture = await pictureOf(file);
        await this.#openPicture(picture);
        this.#notice.tell(
          picture.settings === undefined
            ? `${file.name} tells no settings: it was not made here, or its metadata are gone.`
            : `${file.name} brought its settings back.`,
        );
      },
      () => this.#notice.tellError(new Error(`${file.name} cannot be shown.`)),
    );
  }

  /** @param {Picture} picture From the history or a file. */
  async #openPicture(picture) {
    this.#notice.clear();
    await this.#put(picture);
    if (picture.settings !== undefined) this.#settings.write(picture.settings);
    this.#shell.announce(`Opened: ${picture.title}`);
  }

  /** @param {Picture} picture Shown alone. */
  async #put(picture) {
    const [canvas] = this.#stage.show(1);
    await canvas?.show(picture.file, picture.title);
    this.#shell.picture.set(picture);
  }

  #begin() {
    const settings = this.#settings.read();
    history.replaceState(
      null,
      "",
      formatRoute("draw", paramsFromSettings(settings)),
    );
    void this.#runner.run(
      (signal) => this.#drawPictures(settings, signal),
      (error) => this.#tell(error),
    ).finally(() => {
      if (!this.#runner.running) this.#stage.end();
    });
  }

  /**
   * @param {Settings} settings
   * @param {AbortSignal} signal
   */
  async #drawPictures(settings, signal) {
    this.#notice.clear();
    placeFaults([], this.#settings.fields);
    this.#result.hidden = true;
    this.#stage.wait("Waiting for the server…");
    const { server } = this.#shell;
    const patience = {
      signal,
      onWait: this.#notice.tellWait.bind(this.#notice),
      whenBack: () => server.whenReady(signal),
    };
    if (server.state.value.state !== "ready") {
      this.#stage.wait("It begins when the model is ready.");
      await server.whenReady(signal);
    }
    const decoded = comeDecoded(server.model("generate")?.image_area);
    const previews = new Previews(signal);
    const stage = this.#stage;
    const { completed, rows } = await draw(
      {
        ...settings,
        preview: decoded,
        ...(this.#judged.checked && { logprobs: RIVALS }),
      },
      patience,
      {
        queued: (position) => {
          if (position > 0) stage.wait(`${position} before this one…`);
        },
        started: (started, known) =>
          stage.begin(started, known, settings.prompt),
        row: (index, row, known) => {
          const canvas = stage.canvases[index];
          stage.mark();
          if (canvas === undefined) return;
          if (row.preview) {
            void canvas.showRows(blobOf(row.preview), row.index + 1);
          } else {
            canvas.addRow(row.index, row.codes);
            void previews.offer(known, canvas);
          }
        },
      },
    );
    stage.end();
    const asked = { ...settings, seed: completed.seed };
    const pictures = completed.images.map((image, i) => {
      const known = rows[i];
      return {
        ...drawnNow(asked, i),
        file: blobOf(image),
        model: completed.model,
        ...(known && {
          grid: {
            height: known.height,
            width: known.width,
            codes: known.codes,
          },
        }),
        ...(known?.judgements && { judgements: known.judgements }),
      };
    });
    await Promise.all(
      pictures.map(({ file, title }, i) =>
        stage.canvases[i]?.show(file, title)
      ),
    );
    stage.offer((i) => this.#shell.picture.set(pictures[i]));
    this.#shell.picture.set(pictures[0]);
    this.#facts.textContent = factsOf(completed);
    void this.#history.add(pictures);
    this.#shell.announce(`Done: ${settings.prompt}`);
  }

  /** @param {Picture | undefined} picture The one at hand. */
  #show(picture) {
    this.#result.hidden = picture === undefined;
    if (picture === undefined) return;
    const before = this.#save.href;
    this.#save.href = URL.createObjectURL(picture.file);
    this.#save.download = fileName(picture);
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    const { title, model, settings } = picture;
    this.#facts.textContent = [
      title,
      model,
      settings?.seed === undefined ? undefined : `seed ${settings.seed}`,
    ].filter(Boolean).join(" · ");
    this.#share.show(picture);
  }

  /** @param {unknown} error */
  #tell(error) {
    if (!namesFields(error)) return this.#notice.tellError(error);
    const homeless = placeFaults(error.errors, this.#settings.fields);
    const text = homeless.map(({ pointer, detail }) => `${pointer}: ${detail}`);
    this.#notice.tell(
      text.length > 0 ? text.join("; ") : "Some settings have to be changed.",
      { fault: true },
    );
  }
}

/**
 * @param {Settings} settings
 * @param {number} imageIndex
 */
function drawnNow(settings, imageIndex) {
  return {
    id: crypto.randomUUID(),
    createdAt: Date.now(),
    title: settings.prompt,
    settings,
    imageIndex,
  };
}

/** @param {import("./drawing.js").Completed} completed */
function factsOf({ model, seed, images, usage, timings, lossless }) {
  const [image] = images;
  const seconds = (timings["decode_s"] ?? 0) + (timings["prefill_s"] ?? 0);
  return [
    model,
    `seed ${seed}`,
    image && `${image.width} × ${image.height} pixels`,
    `${usage.image_tokens} tokens in ${secondsText(seconds)}`,
    lossless ? undefined : "approximate strategy",
  ].filter(Boolean).join(" · ");
}

/** @param {Picture} picture */
export function fileName({ title, settings }) {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "").slice(0, 40);
  const seed = settings?.seed === undefined ? "" : `-${settings.seed}`;
  return `${words || "emu3"}${seed}.png`;
}
