/**
 * The header of the page: the server's state, its models, and its progress
 * while it starts, in bytes and times.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { byId, element } from "../parts/element.js";
import { bytesText, secondsText } from "../logic/quantities.js";

/**
 * @typedef {import("./server_watch.js").ServerState} ServerState
 * @typedef {import("./server_watch.js").Phase} Phase
 */

/** @param {ServerState} server */
export function showServer(server) {
  const state = byId("state");
  const text = stateText(server);
  // The text is set only if it changed, or screen readers would repeat it.
  if (state.textContent !== text) state.textContent = text;
  byId("server").dataset["state"] = server.state;
  const panel = byId("start");
  panel.hidden = server.state !== "loading";
  if (!panel.hidden) panel.replaceChildren(...startRows(server));
}

/** @param {ServerState} server */
function stateText({ state, reason, models }) {
  const names = models.map(({ id, precision, device }) =>
    `${id} (${precision}, ${device})`
  ).join(" and ");
  switch (state) {
    case "ready":
      return `Ready: ${names}`;
    case "loading":
      return `Starting: ${names}. Requests wait until it is ready.`;
    case "failed":
      return `The model failed to load: ${reason}`;
    case "refusing":
      return `The server refuses requests: ${reason}`;
    case "away":
      return "The server is not reachable. The page reconnects automatically.";
    case "unknown":
      return "Connecting to the server…";
  }
}

/** @param {ServerState} server */
function startRows({ models }) {
  return models.filter(({ state }) => state === "loading").map((model) => {
    const running = model.phases.filter(({ seconds }) => seconds === undefined);
    const done = model.phases.filter(({ seconds }) => seconds !== undefined);
    const moving = running.find(({ transfer }) => transfer !== undefined);
    const bar = element("progress", {
      max: 1,
      "aria-label": `Loading ${model.id}`,
    });
    const { bytes = 0, total_bytes: all = null } = moving?.transfer ?? {};
    if (all !== null && all > 0) bar.value = bytes / all;
    return element(
      "div",
      { class: "start" },
      element("strong", {}, model.id),
      bar,
      element(
        "span",
        {},
        [...running.map(phaseText), ...done.map(phaseText)].join(" · "),
      ),
    );
  });
}

/** @param {Phase} phase */
export function phaseText({ name, seconds, transfer }) {
  if (seconds !== undefined) return `${name} ${secondsText(seconds)}`;
  if (transfer === undefined) return `${name}…`;
  const { bytes, total_bytes: all, bytes_per_second: rate } = transfer;
  const of = all === null ? "" : ` of ${bytesText(all)}`;
  const pace = rate ? `, ${bytesText(rate)}/s` : "";
  const left = rate && all !== null
    ? `, ${secondsText(Math.max(0, all - bytes) / rate)} left`
    : "";
  return `${name}: ${bytesText(bytes)}${of}${pace}${left}`;
}
