/**
 * The calls of chains: list, start, watch and cancel.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { call, getJson } from "../api/request.js";

/**
 * @typedef {{ chain: string, description: string, input: import("./input_fields.js").InputSchema }} Chain
 *
 * @typedef {{ name: string, status: "running" | "waiting" | "succeeded" | "failed", seconds?: number, text?: string, grid?: string }} Step
 *
 * @typedef {object} Workflow Workflow as `GET /v1/workflows/{chain}/{id}` shows
 *   it.
 * @property {string} id
 * @property {string} chain
 * @property {"running" | "succeeded" | "failed" | "canceled"} status
 * @property {Step[]} steps
 * @property {{ done: number, failed: number, total: number }} [progress]
 * @property {Record<string, unknown>} [output]
 * @property {import("../api/problem.js").ProblemDocument} [problem]
 */

/**
 * Returns all chains; none if the server has no workflows.
 *
 * @returns {Promise<Chain[]>}
 */
export async function listChains() {
  return (await getJson("/v1/workflows")).data;
}

/**
 * Starts a chain, and returns at once.
 *
 * @param {string} chain
 * @param {Record<string, unknown>} input
 * @param {AbortSignal} signal
 * @returns {Promise<Workflow>}
 */
export async function startChain(chain, input, signal) {
  const answer = await call(`/v1/workflows/${chain}`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "respond-async" },
    body: JSON.stringify(input),
    signal,
  });
  return await answer.json();
}

/**
 * Returns the path of a workflow.
 *
 * @param {{ chain: string, id: string }} workflow
 */
export function pathOf({ chain, id }) {
  return `/v1/workflows/${chain}/${encodeURIComponent(id)}`;
}

/**
 * Returns the state of a workflow.
 *
 * @param {{ chain: string, id: string }} workflow
 * @param {AbortSignal} [signal]
 * @returns {Promise<Workflow>}
 */
export async function watchChain(workflow, signal) {
  return await getJson(pathOf(workflow), { ...signal && { signal } });
}

/**
 * Cancels a workflow, and returns its state.
 *
 * @param {{ chain: string, id: string }} workflow
 * @returns {Promise<Workflow>}
 */
export async function cancelChain(workflow) {
  const headers = { accept: "application/json" };
  const answer = await call(pathOf(workflow), { method: "DELETE", headers });
  return await answer.json();
}

/**
 * Returns the picture of a step.
 *
 * @param {{ chain: string, id: string }} workflow
 * @param {string} grid Name of its codes.
 * @param {AbortSignal} signal
 */
export async function stepPicture(workflow, grid, signal) {
  const path = `${pathOf(workflow)}?grid=${encodeURIComponent(grid)}`;
  const answer = await call(path, { headers: { accept: "image/png" }, signal });
  return await answer.blob();
}

/**
 * Returns the page of all pictures of a workflow, as HTML.
 *
 * @param {{ chain: string, id: string }} workflow
 */
export async function indexPage(workflow) {
  const headers = { accept: "text/html" };
  return await (await call(pathOf(workflow), { headers })).text();
}
