/**
 * The heartbeat: pings from a thread of its own, which work on this one cannot
 * delay.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import type { HeartbeatMessage } from "./heartbeat_thread.ts";
import type { PingPlace } from "./ping.ts";

/** A heartbeat that sends pings until it is closed. */
export interface Heartbeat extends AsyncDisposable {
  /** Sets the ids of the running jobs. */
  readonly tell: (jobs: readonly string[]) => void;
}

/** Starts to send pings. */
export function startHeartbeat(place: PingPlace): Heartbeat {
  const thread = new Worker(new URL("./heartbeat_thread.ts", import.meta.url));
  const send = (message: HeartbeatMessage) => thread.postMessage(message);
  send({ place });
  return {
    tell: (jobs) => send({ jobs }),
    [Symbol.asyncDispose]: async () => {
      await thread.terminate();
    },
  };
}
