/**
 * The fetchers of parts: this thread, or workers beside it.
 *
 * One event loop moves about as many bytes as one core copies, and the server
 * must respond to requests during its start.
 *
 * @module
 */

import { DiskError } from "../base/disk.ts";
import { webWorker, WorkerClient } from "../../../lib/async/worker_client.ts";
import type { Fault } from "../../../lib/async/worker_methods.ts";
import { fetchPart, type PartOptions, type PartOrder } from "./fetch_part.ts";
import type { PartMethods, RemoteOrder } from "./part_worker.ts";
import type { RetryPolicy } from "../retry_policy.ts";
import { type Remedy, type Remote, RemoteError } from "../net/remote.ts";

/** A fetcher of parts. */
export interface Fetcher extends Disposable {
  /** Fetches a part, and returns its hash. */
  fetch(order: PartOrder, options: PartOptions): Promise<string>;
}

/** The inputs with which a worker opens the same remote. */
export type RemoteRecipe = Omit<RemoteOrder, "retryPolicy">;

/** Returns a fetcher that uses this thread. */
export function fetchHere(remote: Remote, retryPolicy: RetryPolicy): Fetcher {
  return {
    fetch: (order, options) => fetchPart(remote, order, retryPolicy, options),
    [Symbol.dispose]: () => {},
  };
}

/**
 * Returns a fetcher with `count` threads; each part goes to the least busy one.
 */
export function fetchInWorkers(
  recipe: RemoteRecipe,
  retryPolicy: RetryPolicy,
  count: number,
): Fetcher {
  const { random: _, ...plain } = retryPolicy;
  const workers = Array.from({ length: count }, () => {
    const worker = startWorker();
    // Calls for parts report the error.
    worker.call("open", { ...recipe, retryPolicy: plain }).catch(() => {});
    return worker;
  });
  return {
    fetch: (order, { signal, onBytes, onStart }) =>
      workers.reduce((a, b) => b.pending < a.pending ? b : a)
        .call("fetch", order, {
          signal,
          onEvent: ({ bytes, start }) => {
            onBytes(bytes);
            if (start !== undefined) onStart?.(start);
          },
        }),
    [Symbol.dispose]: () => workers.forEach((worker) => worker.close()),
  };
}

function startWorker(): WorkerClient<PartMethods> {
  const url = new URL("./part_worker.ts", import.meta.url);
  return new WorkerClient(
    webWorker(url, "download"),
    "download worker",
    restore,
  );
}

function restore({ name, message, fields }: Fault): Error | undefined {
  if (name === "RemoteError") {
    return new RemoteError(message, fields.remedy as Remedy);
  }
  return name === "DiskError" ? new DiskError(message) : undefined;
}
