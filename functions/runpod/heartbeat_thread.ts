/**
 * The thread of the heartbeat. It receives its place once, and the running jobs
 * at each change.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { pause } from "../jobs/pause.ts";
import { pingLoop, type PingPlace } from "./ping.ts";

/** A message to the thread. */
export type HeartbeatMessage =
  | { readonly place: PingPlace }
  | { readonly jobs: readonly string[] };

let jobs: readonly string[] = [];

parentPort?.on("message", (message: HeartbeatMessage) => {
  if ("jobs" in message) jobs = message.jobs;
  else start(message.place);
});

function start(place: PingPlace): void {
  const { signal } = new AbortController();
  pingLoop(place, () => jobs, { send: fetch, pause, signal });
}
