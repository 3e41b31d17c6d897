/**
 * The thread of the heartbeat. It receives its target once, and the running
 * jobs at each change.
 *
 * @module
 */

import { serveFromNodeWorker } from "../../lib/async/node_worker.ts";
import { delay } from "../../lib/async/delay.ts";
import { pingLoop, type PingPlace } from "./ping.ts";

let jobs: readonly string[] = [];

/** Methods of the thread. */
export const methods = {
  start: (place: PingPlace): void => {
    const { signal } = new AbortController();
    pingLoop(place, () => jobs, { send: fetch, delay: delay, signal });
  },
  setJobs: (running: readonly string[]): void => {
    jobs = running;
  },
};

/** Type of the methods, for the client. */
export type HeartbeatMethods = typeof methods;

serveFromNodeWorker(methods);
