/**
 * The entry of the page: a header of the server's state, and one view.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { askForKeysWith } from "../api/key.js";
import { getJson } from "../api/request.js";
import { addStyle, byId, element } from "../parts/element.js";
import { parseRoute } from "./route.js";
import { Shell } from "./shell.js";
import { showServer } from "./server_panel.js";
import { VIEWS } from "./views.js";

/** Minimum interval between automatic reloads, in milliseconds. */
const RELOAD_PAUSE_MS = 10_000;

const shell = new Shell(byId("live"));
askForKeysWith(async (reason) => {
  const { askForKey } = await import("../parts/key_dialog.js");
  return await askForKey(reason);
});

/** @type {Map<string, { root: HTMLElement, mounted: Promise<import("./views.js").MountedView> }>} */
const opened = new Map();

/** @type {string | undefined} */
let current;

const links = new Map(VIEWS.map(({ name, title }) => [
  name,
  element("a", { href: `#${name}` }, title),
]));
byId("views").replaceChildren(
  ...[...links.values()].map((link) => element("li", {}, link)),
);

for (const { name, listing } of VIEWS) {
  const link = links.get(name)?.parentElement;
  if (!link || listing === undefined) continue;
  link.hidden = true;
  getJson(listing).then(({ data }) => link.hidden = data.length === 0)
    .catch(() => {});
}
addEventListener("hashchange", () => void show(true));
shell.server.state.watch((state) => {
  showServer(state);
  offerViews(state.models);
});
void shell.server.look();
addEventListener("online", () => void shell.server.look());
addEventListener("offline", () => void shell.server.look());
await show(false);

/**
 * Shows the view that the address names.
 *
 * @param {boolean} moved True if the user navigated there.
 */
async function show(moved) {
  const { view: name, params } = parseRoute(
    location.hash,
    VIEWS[0]?.name ?? "",
  );
  const view = VIEWS.find((view) => view.name === name) ?? VIEWS[0];
  if (view === undefined) return;
  const before = current;
  current = view.name;
  const entry = opened.get(view.name) ?? mountView(view);
  for (const [name, { root }] of opened) root.hidden = name !== view.name;
  for (const [name, link] of links) {
    if (name === view.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view.title} · Emu3`;
  if (before !== undefined && before !== view.name) {
    const left = await opened.get(before)?.mounted;
    left?.close?.();
    if (moved) entry.root.focus();
  }
  const mounted = await entry.mounted;
  if (current === view.name) mounted.open?.(params);
}

/** @param {import("./views.js").View} view */
function mountView(view) {
  const root = element("section", {
    class: `view view-${view.name}`,
    tabIndex: -1,
    "aria-labelledby": `title-${view.name}`,
  });
  byId("main").append(root);
  if (view.style !== undefined) addStyle(view.style);
  const title = element("h2", {
    id: `title-${view.name}`,
    class: "unseen",
  }, view.title);
  root.append(title);
  const mounted = loadView(view, root)
    .then(async ({ mount }) => await mount(root, shell) ?? {});
  const entry = { root, mounted };
  opened.set(view.name, entry);
  return entry;
}

/**
 * Loads a view. Browsers cache a failed import, so the page reloads once the
 * server is back, unless it has just done so.
 *
 * @param {import("./views.js").View} view
 * @param {HTMLElement} root Container of the error message.
 * @returns {Promise<{ mount: import("./views.js").Mount }>}
 */
async function loadView({ load }, root) {
  try {
    return await load();
  } catch {
    root.append(element(
      "p",
      { class: "notice fault", role: "alert" },
      "This part of the page could not be loaded. ",
      element("button", {
        type: "button",
        onclick: () => location.reload(),
      }, "Reload the page"),
    ));
    await shell.server.look();
    await shell.server.state.when(({ state }) => state !== "away");
    const before = Number(sessionStorage.getItem("emu3-reloaded"));
    if (Date.now() - before > RELOAD_PAUSE_MS) {
      sessionStorage.setItem("emu3-reloaded", String(Date.now()));
      location.reload();
    }
    return { mount: () => {} };
  }
}

/**
 * Hides the links of views whose functions the server lacks.
 *
 * @param {readonly import("./server_watch.js").Model[]} models
 */
function offerViews(models) {
  const able = new Set(models.flatMap(({ capabilities }) => capabilities));
  for (const { name, needs, listing } of VIEWS) {
    const link = links.get(name)?.parentElement;
    if (!link || listing !== undefined) continue;
    link.hidden = models.length > 0 && needs.length > 0 &&
      !needs.some((need) => able.has(need));
  }
}
