/**
 * The adapter of `node:worker_threads` for calls between threads.
 *
 * Unlike web workers, these can let the process end while they are idle, and
 * they report their exit. Typed arrays transfer slowly: send plain buffers.
 *
 * @module
 */

import { parentPort, Worker } from "node:worker_threads";
import type { WorkerThread } from "./worker_client.ts";
import { serveMethods, type WorkerMethods } from "./worker_methods.ts";

/** A worker that need not keep the process alive. */
export interface NodeWorker extends WorkerThread {
  /** Keeps the process alive; the default. */
  ref(): void;
  /** Lets the process end while this worker runs. */
  unref(): void;
}

/** Starts a worker. */
export function nodeWorker(url: URL): NodeWorker {
  const worker = new Worker(url);
  return {
    postMessage: (message, moved) => worker.postMessage(message, moved),
    listen: (onMessage, onEnd) => {
      worker.on("message", onMessage);
      worker.on("error", (error: Error) => onEnd(error.message));
      worker.on("exit", () => onEnd("it has ended"));
    },
    terminate: () => worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}

/**
 * Runs `methods` for the client of this worker; does nothing outside of one.
 */
export function serveFromNodeWorker(methods: WorkerMethods): void {
  const port = parentPort;
  if (port === null) return;
  serveMethods(methods, {
    postMessage: (message, moved) => port.postMessage(message, moved),
    onMessage: (listener) => port.on("message", listener),
  });
}
