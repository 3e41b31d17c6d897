/**
 * The calls of chains: list, start, watch and cancel.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { getJson, post, remove } from "../api/request.js";

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
  const prefer = "respond-async";
  const path = `/v1/workflows/${chain}`;
  return await (await post(path, input, { prefer, signal })).json();
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
  return await (await remove(pathOf(workflow))).json();
}
