/**
 * The views of the page.
 *
 * To add one:
 *
 * 1. A folder beside this one with a module that exports
 *    `mount(root, shell)`: it fills `root`, an empty `<section>` that is
 *    labelled already, once, when the view is first opened. It may return
 *    `{ open(params), close() }`, called whenever the view comes (with what
 *    stands behind `?` in the address) and goes; `mount` may be async.
 * 2. A line in `VIEWS`. `import()` keeps it out of the first paint. A style
 *    sheet of its own is named in `style`, and lies in `style/`.
 * 3. Its folder in README.
 *
 * `shell` (`Shell` in shell.js) has what views share: what is known of the
 * server (`shell.server`), the picture at hand (`shell.picture`),
 * `shell.announce(text)` for screen readers, `shell.open(view, params)`. `api/request.js` calls the API, asking for a key
 * where one is needed; `api/patience.js` waits where the server asks to;
 * `parts/` has elements, fields with their faults, notices and a runner of
 * tasks that can be stopped. Colours and spaces are variables of
 * `style/base.css`.
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
 * @property {string} name In the address.
 * @property {string} title For people.
 * @property {readonly string[]} needs Functions that the server must have, one of which is enough; none for all.
 * @property {string} [style] A style sheet of its own.
 * @property {() => Promise<{ mount: Mount }>} load
 */

/** @type {readonly View[]} The first is where one begins. */
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
    name: "server",
    title: "Server",
    needs: [],
    style: "server.css",
    load: () => import("../server/server_view.js"),
  },
];
