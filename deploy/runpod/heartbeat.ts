/**
 * The heartbeat: pings from a thread of its own, which work on this one cannot
 * delay.
 *
 * @module
 */

import { nodeWorker } from "../../lib/async/node_worker.ts";
import { WorkerClient } from "../../lib/async/worker_client.ts";
import type { HeartbeatMethods } from "./heartbeat_thread.ts";
import type { PingPlace } from "./ping.ts";

/** A heartbeat that sends pings until it is closed. */
export interface Heartbeat extends AsyncDisposable {
  /** Sets the ids of the running jobs. */
  readonly send: (jobs: readonly string[]) => void;
}

/** Starts to send pings. */
export function startHeartbeat(place: PingPlace): Heartbeat {
  const url = new URL("./heartbeat_thread.ts", import.meta.url);
  const thread = new WorkerClient<HeartbeatMethods>(
    nodeWorker(url),
    "heartbeat",
  );
  let closed = false;
  // A crash ends the process: RunPod restarts one that sends no pings.
  const fail = (error: unknown) => {
    if (!closed) reportError(error);
  };
  thread.call("start", place).catch(fail);
  return {
    send: (jobs) => void thread.call("setJobs", jobs).catch(fail),
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await thread.close();
    },
  };
}
