/**
 * The Draw view: settings on one side, the picture in progress on the other.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { paramsFromSettings, settingsFromParams } from "../logic/settings.js";
import { element, freshId } from "../parts/element.js";
import { placeFaults } from "../parts/field.js";
import { idle, later } from "../parts/later.js";
import { namesFields, Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { formatRoute } from "../shell/route.js";
import { ResultPanel } from "./result_panel.js";
import { SettingsForm } from "./settings_form.js";
import { Stage } from "./stage.js";
import { takeFiles } from "./take_files.js";

/**
 * @typedef {import("../shell/shell.js").Shell} Shell
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./drawing.js").Known} Known
 */

/** Key of the drawing in progress, in the tab's storage. */
const KEPT = "emu3-drawing";

/**
 * @param {HTMLElement} root
 * @param {Shell} shell
 * @returns {import("../shell/views.js").MountedView}
 */
export function mount(root, shell) {
  const view = new DrawView(root, shell);
  return {
    open: (params) => view.open(params),
    close: () => view.leave(),
  };
}

/** The Draw view. */
class DrawView {
  #shell;
  #notice = new Notice();
  #stage = new Stage();
  #settings = new SettingsForm(() => this.#form.requestSubmit());
  #draw = element("button", { class: "primary" }, "Draw");
  #stop = element("button", {
    type: "button",
    hidden: true,
    onclick: () => this.#runner.stop(),
  }, "Stop");
  /** Loaded with the first drawing. @type {import("./unfinished.js").Unfinished | undefined} */
  #unfinished;
  /** The list of earlier drawings, loaded after the first paint. */
  #history = element("div");
  /** Settings of the last request, as an address. @type {string | undefined} */
  #address;
  /** Pictures on the stage. @type {readonly Picture[]} */
  #staged = [];
  /** @type {Promise<import("./history_list.js").HistoryList> | undefined} */
  #histories;
  /** @type {import("../clips/clip_desk.js").ClipDesk | undefined} */
  #clips;
  /** @type {Promise<import("../clips/clip_desk.js").ClipDesk | undefined> | undefined} */
  #clipsLoaded;
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
  #hint = element(
    "span",
    { class: "quiet" },
    "or drop one; pictures made here restore their settings.",
  );
  #result = new ResultPanel();
  #form = element(
    "form",
    {
      class: "panel stack",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.#begin();
      },
      // An error is cleared as soon as its input changes.
      oninput: () => this.close(),
    },
    this.#settings.root,
    element(
      "div",
      { class: "actions" },
      this.#draw,
      this.#stop,
    ),
  );
  #runner = new TaskRunner((running) => {
    this.#stop.hidden = !running;
    this.#draw.textContent = running ? "Draw again" : "Draw";
  });

  /**
   * @param {HTMLElement} root
   * @param {Shell} shell
   */
  constructor(root, shell) {
    this.#shell = shell;
    takeFiles(root, (file) => this.#take(file), {
      takesVideo: () => this.#clips?.opens ?? false,
      refuse: ({ name }) =>
        this.#notice.show(
          `${name} is not a picture: supported formats are PNG, JPEG, WebP and GIF.`,
          { fault: true },
        ),
    });
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
          this.#result.root,
          element(
            "div",
            { class: "actions open" },
            this.#file,
            element("label", {
              class: "button small",
              for: this.#file.id,
            }, "Open a picture"),
            this.#hint,
          ),
        ),
      ),
      this.#history,
    );
    shell.server.state.watch(() =>
      this.#result.offerQuestions(shell.server.model("caption") !== undefined)
    );
    shell.server.state.watch(() => {
      if (shell.server.model("clips")) {
        void idle().then(() => this.#openClips());
      }
      if (this.#clips === undefined) {
        this.#settings.describe(shell.server.model("generate"));
      }
    });
    shell.picture.watch((picture) => this.#show(picture));
    void idle().then(() => this.#openHistory());
  }

  /** @param {URLSearchParams} params Settings of a link, if any. */
  open(params) {
    // Other views add to the history too.
    void this.#histories?.then((list) => list?.refresh(), () => undefined);
    const first = this.#address === undefined;
    const address = params.toString();
    if (address === this.#address) return;
    this.#address = address;
    void this.#arrive(params, first);
  }

  /** Clears the notice, which is stale on the next visit. */
  close() {
    if (!this.#runner.running) this.#notice.clear();
  }

  /** Stops what moves while the view is hidden. */
  leave() {
    this.close();
    this.#stage.pauseClips();
  }

  /**
   * Resumes a drawing after a reload, or shows the picture of a link, or draws it.
   *
   * @param {URLSearchParams} params
   * @param {boolean} first True if the page was just loaded.
   */
  async #arrive(params, first) {
    const settings = settingsFromParams(params);
    if (first && sessionStorage.getItem(KEPT) !== null) {
      const { drawingLeft } = await later(() => import("./kept_drawing.js"));
      const left = drawingLeft(settings);
      if (left !== undefined) {
        this.#settings.write(left.settings);
        return this.#run(left.settings, left.known);
      }
    }
    if (settings === undefined) return;
    this.#unfinished?.clear();
    this.#settings.write(settings);
    void this.#runner.run(async (signal) => {
      const { picturesOf } = await later(() => import("./draw_pictures.js"));
      const pictures = await picturesOf(params, signal);
      if (pictures.length > 0) {
        await this.#place(pictures);
        await this.#stageAll(pictures);
        // The drawing begins when this task has ended.
      } else if (settings.prompt !== "") this.#begin();
    }, (error) => this.#notice.showError(error));
  }

  /** @returns Undefined if the server is away. */
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

  /** @param {File} file Dropped or chosen file. */
  #take(file) {
    void this.#runner.run(
      async (signal) => {
        const { opened } = await later(() => import("./open_file.js"));
        const { picture, notice } = await opened(file, this.#clips, signal);
        await this.#openPicture(picture);
        this.#notice.show(notice);
      },
      (error) => this.#notice.showError(error),
    );
  }

  /** @param {Picture} picture Stored or imported picture. */
  async #openPicture(picture) {
    this.#unfinished?.clear();
    this.#notice.clear();
    await this.#put(picture);
    if (picture.settings !== undefined) this.#settings.write(picture.settings);
    this.#shell.announce(`Opened: ${picture.title}`);
  }

  /** @param {Picture} picture Picture to show alone. */
  async #put(picture) {
    await this.#stageAlone(picture);
    this.#shell.picture.set(picture);
  }

  /** @param {Picture} picture */
  async #stageAlone(picture) {
    this.#staged = [picture];
    await this.#place([picture]);
    await this.#stage.views[0]?.show(picture.file, picture.title);
  }

  /** @param {readonly Picture[]} pictures Pictures to make room for. */
  async #place(pictures) {
    const clips = pictures[0]?.clip && await this.#openClips();
    if (clips) clips.place(pictures.length);
    else this.#stage.show(pictures.length);
  }

  /** @returns Undefined if the server is away. */
  async #openClips() {
    this.#clipsLoaded ??= import("../clips/clip_desk.js").then(
      ({ ClipDesk }) =>
        this.#clips = new ClipDesk({
          shell: this.#shell,
          settings: this.#settings,
          stage: this.#stage,
          staged: () => this.#staged,
          result: this.#result,
          notice: this.#notice,
          runner: this.#runner,
          file: this.#file,
          hint: this.#hint,
        }),
    );
    return await this.#clipsLoaded.catch(() => this.#clipsLoaded = undefined);
  }

  /** @param {readonly Picture[]} pictures Pictures of one request. */
  async #stageAll(pictures) {
    await Promise.all(
      pictures.map(({ file, title }, i) =>
        this.#stage.views[i]?.show(file, title)
      ),
    );
    this.#staged = pictures;
    this.#stage.offer((i) => this.#shell.picture.set(pictures[i]));
    this.#shell.picture.set(pictures[0]);
  }

  #begin() {
    const settings = this.#settings.read();
    const params = paramsFromSettings(settings);
    this.#address = params.toString();
    history.replaceState(null, "", formatRoute("draw", params));
    const context = this.#clips?.context;
    this.#run(settings, {
      seed: settings.seed,
      rows: [],
      ...(context && { context }),
    });
  }

  /**
   * @param {Settings} settings
   * @param {Known} known
   */
  #run(settings, known) {
    this.#unfinished?.clear();
    void this.#runner.run(
      (signal) => this.#drawPictures(settings, known, signal),
      (error) => this.#showError(error),
    ).finally(() => {
      if (this.#runner.running) return;
      this.#stage.end();
      void this.#unfinished?.offer(settings, known).then((picture) =>
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
    this.#result.leave();
    const { drawOnStage, Unfinished } = await later(() =>
      import("./draw_on_stage.js")
    );
    if (this.#unfinished === undefined) {
      this.#unfinished = new Unfinished((settings, known) =>
        this.#run(settings, known)
      );
      this.#stop.before(this.#unfinished.root);
    }
    const { pictures, facts } = await drawOnStage(settings, known, {
      server: this.#shell.server,
      notice: this.#notice,
      stage: this.#stage,
      signal,
      stop: () => this.#runner.stop(),
    });
    await this.#stageAll(pictures);
    this.#result.showFacts(facts);
    this.#shell.announce(`Done: ${settings.prompt}`);
    const list = await this.#openHistory();
    await list?.add(pictures);
  }

  /** @param {Picture | undefined} picture Current picture. */
  #show(picture) {
    this.#result.show(picture);
    if (picture === undefined) return;
    // The picture comes from another view.
    if (!this.#staged.includes(picture) && !this.#runner.running) {
      void this.#stageAlone(picture);
    }
  }

  /** @param {unknown} error */
  #showError(error) {
    if (!namesFields(error)) return this.#notice.showError(error);
    const homeless = placeFaults(error.errors, this.#settings.fields);
    const text = homeless.map(({ pointer, detail }) => `${pointer}: ${detail}`);
    this.#notice.show(
      text.length > 0 ? text.join("; ") : "Some settings are invalid.",
      { fault: true },
    );
  }
}
