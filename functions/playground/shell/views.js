/**
 * The views of the page.
 *
 * Steps to add one:
 *
 * 1. A folder beside this one with a module that exports `mount(root, shell)`:
 *    it fills `root`, an empty labeled `<section>`, once, when the view is
 *    first opened. It may return `{ open(params), close() }`, called whenever
 *    the view is shown (with the parameters after `?` in the address) and
 *    hidden; `mount` may be async.
 * 2. A line in `VIEWS`. `import()` keeps it out of the first paint. A style
 *    sheet of its own is named in `style` and stored in `style/`.
 * 3. Its folder in README.
 *
 * `shell` (`Shell` in shell.js) has what views share: the state of the server
 * (`shell.server`), the current picture (`shell.picture`),
 * `shell.announce(text)` for screen readers, `shell.open(view, params)`.
 * `api/request.js` calls the API, `api/retry_policy.js` retries; `parts/` has
 * elements, fields, notices and a task runner. Colors and spaces are variables
 * of `style/base.css`.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/**
 * @typedef {{ open?: (params: URLSearchParams) => void, close?: () => void }} MountedView
 * @typedef {(root: HTMLElement, shell: import("./shell.js").Shell) => MountedView | void | Promise<MountedView | void>} Mount
 *
 * @typedef {object} View
 * @property {string} name Name in the address.
 * @property {string} title Title for display.
 * @property {readonly string[]} needs Functions of which the server must have
 *   one; empty for none.
 * @property {string} [listing] Path of a list that is empty if the server does
 *   not offer the view.
 * @property {string} [style] Name of its own style sheet.
 * @property {() => Promise<{ mount: Mount }>} load
 */

/** @type {readonly View[]} Views; the first is the default. */
export const VIEWS = [
  {
    name: "draw",
    title: "Draw",
    needs: ["generate"],
    style: "draw.css",
    load: () => import("../draw/draw_view.js"),
  },
  {
    name: "look",
    title: "Look inside",
    needs: ["generate"],
    style: "look.css",
    load: () => import("../look/look_view.js"),
  },
  {
    name: "ask",
    title: "Ask",
    needs: ["caption"],
    style: "ask.css",
    load: () => import("../ask/ask_view.js"),
  },
  {
    name: "lab",
    title: "Tokenizer lab",
    needs: ["tokenize", "detokenize"],
    style: "lab.css",
    load: () => import("../lab/lab_view.js"),
  },
  {
    name: "chains",
    title: "Chains",
    needs: [],
    listing: "/v1/workflows",
    style: "chains.css",
    load: () => import("../chains/chains_view.js"),
  },
  {
    name: "server",
    title: "Server",
    needs: [],
    style: "server.css",
    load: () => import("../server/server_view.js"),
  },
];
