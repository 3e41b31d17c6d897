/**
 * The views of the page.
 *
 * Steps to add one:
 *
 * 1. A folder beside this one with a module that exports `mount(root, shell)`:
 *    it fills `root`, an empty labeled `<section>`, once, when the view is
 *    first opened. It may return `{ open(params), close() }`, called when the
 *    view is shown (with the parameters of its address) and hidden.
 * 2. A line in `VIEWS`. `import()` keeps it out of the first paint; `style`
 *    names a sheet in `style/`.
 *
 * `shell.js` has what views share, `api/` calls the server, `parts/` has
 * elements; colors are variables of `style/base.css`.
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
 * @property {string} [listing] Path of a list, empty without the view.
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
