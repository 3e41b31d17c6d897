/**
 * The dialog that prompts for an API key.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element, freshId } from "./element.js";

/**
 * @param {string} reason Message of the server.
 * @returns {Promise<string | undefined>} Undefined if the user cancels.
 */
export function askForKey(reason) {
  const { promise, resolve } =
    /** @type {PromiseWithResolvers<string | undefined>} */
    (Promise.withResolvers());
  const id = freshId("key");
  const input = element("input", {
    id,
    type: "password",
    required: true,
    autocomplete: "current-password",
    "aria-describedby": `${id}-why`,
  });
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": `${id}-title` },
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: `${id}-title` }, "API key required"),
      element("p", { id: `${id}-why` }, reason),
      element("label", { for: id }, "API key"),
      input,
      element(
        "p",
        { class: "quiet" },
        "It is stored in this tab until the tab is closed.",
      ),
      element(
        "div",
        { class: "actions" },
        element("button", { class: "primary", value: "use" }, "Use key"),
        element("button", {
          type: "button",
          onclick: () => dialog.close(""),
        }, "Not now"),
      ),
    ),
  );
  dialog.addEventListener("close", () => {
    const key = input.value.trim();
    resolve(dialog.returnValue === "use" && key !== "" ? key : undefined);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
