/**
 * Signs of life from a thread of its own, which nothing that this one does can
 * hold up.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import type { HeartbeatMessage } from "./heartbeat_thread.ts";
import type { PingPlace } from "./ping.ts";

/** Sends signs of life until it is closed. */
export interface Heartbeat extends AsyncDisposable {
  /** Says which jobs run from now on. */
  readonly tell: (jobs: readonly string[]) => void;
}

/** Starts to send signs of life. */
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
