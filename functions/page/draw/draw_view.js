/**
 * Draw: settings on one side, the picture as it comes on the other.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { paramsFromSettings, settingsFromParams } from "../logic/settings.js";
import { element, freshId } from "../parts/element.js";
import { placeFaults } from "../parts/field.js";
import { later } from "../parts/later.js";
import { namesFields, Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { formatRoute } from "../shell/route.js";
import { SettingsForm } from "./settings_form.js";
import { Stage } from "./stage.js";
import { takeFiles } from "./take_files.js";
import { Unfinished } from "./unfinished.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./drawing.js").Known} Known
 */

/** States of a server that is likely to be ready soon. */
const COMING = new Set(["unknown", "away", "loading"]);

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
  #unfinished = new Unfinished((settings, known) => this.#run(settings, known));
  /** What is not needed to be seen comes later, as does what draws. */
  #share = element("div");
  #history = element("div");
  /** What the stage shows. @type {readonly Picture[]} */
  #staged = [];
  /** @type {Promise<import("./history_list.js").HistoryList> | undefined} */
  #histories;
  /** @type {Promise<import("./share_panel.js").SharePanel> | undefined} */
  #sharing;
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
  #ask = element(
    "a",
    { class: "button", href: "#ask?about=drawn", hidden: true },
    "Ask about it",
  );
  #result = element(
    "div",
    { class: "result", hidden: true },
    this.#facts,
    element(
      "div",
      { class: "actions" },
      this.#save,
      element("a", { class: "button", href: "#look" }, "Look inside"),
      this.#ask,
    ),
    this.#share,
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
    element(
      "div",
      { class: "actions" },
      this.#draw,
      this.#unfinished.root,
      this.#stop,
    ),
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
      this.#history,
    );
    shell.server.state.watch(() =>
      this.#ask.hidden = shell.server.model("caption") === undefined
    );
    shell.server.state.watch(() =>
      this.#settings.describe(shell.server.model("generate"))
    );
    shell.picture.watch((picture) => this.#show(picture));
    void this.#openHistory();
  }

  /** @param {URLSearchParams} params Settings, where a link has them. */
  open(params) {
    // Other views draw too.
    void this.#histories?.then((list) => list?.refresh(), () => undefined);
    const told = settingsFromParams(params);
    if (told === undefined) return;
    this.#settings.write(told.settings);
    if (told.grid === undefined) return;
    const { grid, settings } = told;
    void this.#runner.run(async (signal) => {
      const { pictureOfCodes } = await later(() =>
        import("./draw_pictures.js")
      );
      await this.#put(await pictureOfCodes(settings, grid, signal));
    }, (error) => this.#notice.tellError(error));
  }

  /** @returns Undefined where the server is not there to load it from. */
  async #openHistory() {
    this.#histories ??= import("./history_list.js").then(({ HistoryList }) => {
      const list = new HistoryList(
        (picture) => this.#openPicture(picture),
        (text) => this.#shell.announce(text),
      );
      this.#history.append(list.root);
      return list;
    });
    return await this.#histories.catch(() => this.#histories = undefined);
  }

  /** @param {File} file Dropped or chosen. */
  #take(file) {
    void this.#runner.run(
      async () => {
        const { pictureOf } = await later(() => import("./open_file.js"));
        const { picture, told } = await pictureOf(file);
        await this.#openPicture(picture);
        this.#notice.tell(told);
      },
      () => this.#notice.tellError(new Error(`${file.name} cannot be shown.`)),
    );
  }

  /** @param {Picture} picture From the history or a file. */
  async #openPicture(picture) {
    this.#unfinished.clear();
    this.#notice.clear();
    await this.#put(picture);
    if (picture.settings !== undefined) this.#settings.write(picture.settings);
    this.#shell.announce(`Opened: ${picture.title}`);
  }

  /** @param {Picture} picture Shown alone. */
  async #put(picture) {
    await this.#stageAlone(picture);
    this.#shell.picture.set(picture);
  }

  /** @param {Picture} picture */
  async #stageAlone(picture) {
    this.#staged = [picture];
    const [canvas] = this.#stage.show(1);
    await canvas?.show(picture.file, picture.title);
  }

  #begin() {
    const settings = this.#settings.read();
    history.replaceState(
      null,
      "",
      formatRoute("draw", paramsFromSettings(settings)),
    );
    this.#run(settings, { seed: settings.seed, rows: [] });
  }

  /**
   * @param {Settings} settings
   * @param {Known} known
   */
  #run(settings, known) {
    this.#unfinished.clear();
    void this.#runner.run(
      (signal) => this.#drawPictures(settings, known, signal),
      (error) => this.#tell(error),
    ).finally(() => {
      if (this.#runner.running) return;
      this.#stage.end();
      void this.#unfinished.offer(settings, known).then((picture) =>
        picture && this.#put(picture)
      );
    });
  }

  /**
   * @param {Settings} settings
   * @param {Known} known
   * @param {AbortSignal} signal
   */
  async #drawPictures(settings, known, signal) {
    this.#notice.clear();
    placeFaults([], this.#settings.fields);
    this.#result.hidden = true;
    this.#stage.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
    this.#stage.wait("Waiting for the server…");
    const { server } = this.#shell;
    const patience = {
      signal,
      onWait: (
        /** @type {import("../api/patience.js").Wait | undefined} */ wait,
      ) => {
        this.#notice.tellWait(wait);
        if (wait !== undefined) this.#stage.pause();
      },
      whenBack: () => server.whenReady(signal),
    };
    if (COMING.has(server.state.value.state)) {
      this.#stage.wait("It begins when the model is ready.");
      await server.whenReady(signal);
    }
    const stage = this.#stage;
    const { drawPictures } = await later(() => import("./draw_pictures.js"));
    const { pictures, facts } = await drawPictures(settings, {
      stage,
      patience,
      model: server.model("generate"),
      judged: this.#judged.checked,
      known,
    });
    stage.end();
    await Promise.all(
      pictures.map(({ file, title }, i) =>
        stage.canvases[i]?.show(file, title)
      ),
    );
    this.#staged = pictures;
    stage.offer((i) => this.#shell.picture.set(pictures[i]));
    this.#shell.picture.set(pictures[0]);
    this.#facts.textContent = facts;
    this.#shell.announce(`Done: ${settings.prompt}`);
    const list = await this.#openHistory();
    await list?.add(pictures);
  }

  /** @param {Picture | undefined} picture The one at hand. */
  #show(picture) {
    this.#result.hidden = picture === undefined;
    if (picture === undefined) return;
    // It came from another view.
    if (!this.#staged.includes(picture) && !this.#runner.running) {
      void this.#stageAlone(picture);
    }
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
    void this.#openSharing().then((panel) => panel?.show(picture));
  }

  /** @returns Undefined where the server is not there to load it from. */
  async #openSharing() {
    this.#sharing ??= import("./share_panel.js").then(({ SharePanel }) => {
      const panel = new SharePanel();
      this.#share.append(panel.root);
      return panel;
    });
    return await this.#sharing.catch(() => this.#sharing = undefined);
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

/** @param {Picture} picture */
export function fileName({ title, settings }) {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "").slice(0, 40);
  const seed = settings?.seed === undefined ? "" : `-${settings.seed}`;
  return `${words || "emu3"}${seed}.png`;
}
