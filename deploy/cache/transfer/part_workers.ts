/**
 * The fetchers of parts: this thread, or workers beside it.
 *
 * One event loop moves about as many bytes as one core copies, and the server
 * must respond to requests during its start.
 *
 * @module
 */

import { DiskError } from "../base/disk.ts";
import { fetchPart, type PartOptions, type PartOrder } from "./fetch_part.ts";
import type { PartReply, PartRequest, PlainFailure } from "./part_worker.ts";
import type { RetryPolicy } from "../retry_policy.ts";
import { type Remote, RemoteError } from "../net/remote.ts";
import type { RemoteVariables } from "../net/remote_for.ts";
import type { RemoteSource } from "../source.ts";

/** A fetcher of parts. */
export interface Fetcher extends Disposable {
  /** Fetches a part, and returns its hash. */
  fetch(order: PartOrder, options: PartOptions): Promise<string>;
}

/** The inputs with which a worker opens the same remote. */
export interface RemoteRecipe {
  /** Source of the files. */
  readonly source: RemoteSource;
  /** Variables that remotes read. */
  readonly variables: RemoteVariables;
  /** Commit that was listed. */
  readonly commit: string;
}

/** Returns a fetcher that uses this thread. */
export function fetchHere(remote: Remote, patience: RetryPolicy): Fetcher {
  return {
    fetch: (order, options) => fetchPart(remote, order, patience, options),
    [Symbol.dispose]: () => {},
  };
}

/**
 * Returns a fetcher with `count` threads; each part goes to the least busy one.
 */
export function fetchInWorkers(
  recipe: RemoteRecipe,
  patience: RetryPolicy,
  count: number,
): Fetcher {
  const workers = Array.from(
    { length: count },
    () => new PartWorker(recipe, patience),
  );
  return {
    fetch: (order, options) =>
      workers.reduce((a, b) => b.busy < a.busy ? b : a).fetch(order, options),
    [Symbol.dispose]: () => workers.forEach((worker) => worker.close()),
  };
}

/** The callbacks of a pending part. */
interface Waiting {
  readonly result: PromiseWithResolvers<string>;
  readonly options: PartOptions;
}

class PartWorker {
  readonly #worker = new Worker(new URL("./part_worker.ts", import.meta.url), {
    type: "module",
    name: "download",
  });
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(recipe: RemoteRecipe, { random: _, ...patience }: RetryPolicy) {
    this.#worker.onmessage = ({ data }: MessageEvent<PartReply>) =>
      this.#hear(data);
    this.#worker.onerror = (event) => {
      // The error ends the parts of this worker, not the process.
      event.preventDefault();
      const error = new Error(`Cannot go on downloading: ${event.message}`);
      for (const { result } of this.#waiting.values()) result.reject(error);
      this.#waiting.clear();
    };
    this.#send({ kind: "open", ...recipe, patience });
  }

  /** Number of parts in progress. */
  get busy(): number {
    return this.#waiting.size;
  }

  async fetch(order: PartOrder, options: PartOptions): Promise<string> {
    const { signal } = options;
    signal.throwIfAborted();
    const id = this.#next++;
    const result = Promise.withResolvers<string>();
    this.#waiting.set(id, { result, options });
    const stop = () => this.#send({ kind: "stop", id });
    signal.addEventListener("abort", stop, { once: true });
    try {
      this.#send({ kind: "fetch", id, order });
      return await result.promise;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#worker.terminate();
  }

  #hear(reply: PartReply): void {
    const waiting = this.#waiting.get(reply.id);
    switch (reply.kind) {
      case "bytes":
        waiting?.options.onBytes(reply.count);
        if (reply.start !== undefined) waiting?.options.onStart?.(reply.start);
        break;
      case "fetched":
        waiting?.result.resolve(reply.hash);
        break;
      case "failed":
        waiting?.result.reject(revive(reply.failure));
        break;
      default:
        throw reply satisfies never;
    }
  }

  #send(request: PartRequest): void {
    this.#worker.postMessage(request);
  }
}

function revive(failure: PlainFailure): Error {
  switch (failure.type) {
    case "remote":
      return new RemoteError(failure.message, failure.remedy);
    case "disk":
      return new DiskError(failure.message);
    case "other":
      return new Error(failure.message);
    default:
      throw failure satisfies never;
  }
}
