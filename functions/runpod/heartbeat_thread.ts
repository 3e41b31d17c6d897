/**
 * The thread that signs of life come from. Told where once, and then of each
 * change which jobs run.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { pause } from "../jobs/pause.ts";
import { pingLoop, type PingPlace } from "./ping.ts";

/** What the thread is told. */
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
