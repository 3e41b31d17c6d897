/**
 * A thread that counts the pings that reach it, in shared memory that a blocked
 * thread can wait on.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";

const counter = new Int32Array(workerData);
const http = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  (request) => {
    const { searchParams } = new URL(request.url);
    if (searchParams.get("job_id") === "a,b") {
      Atomics.add(counter, 0, 1);
      Atomics.notify(counter, 0);
    }
    return new Response();
  },
);
parentPort?.postMessage(http.addr.port);
