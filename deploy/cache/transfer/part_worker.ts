/**
 * The worker that fetches parts: its own event loop, connections and writes.
 *
 * Entry point: `part_workers.ts` starts it and imports its types only.
 *
 * @module
 */

import {
  type MethodContext,
  serveMethods,
} from "../../../lib/async/worker_methods.ts";
import { fetchPart, type PartOrder, type PartStart } from "./fetch_part.ts";
import type { RetryPolicy } from "../retry_policy.ts";
import {
  type OpenRemote,
  remoteFor,
  type RemoteVariables,
} from "../net/remote_for.ts";
import type { RemoteSource } from "../source.ts";

/** The inputs from which the worker opens its remote. */
export interface RemoteOrder {
  /** Source of the files. */
  readonly source: RemoteSource;
  /** Variables that remotes read. */
  readonly variables: RemoteVariables;
  /** Commit that was listed. */
  readonly commit: string;
  /** Policy of retries; its random numbers come from the worker. */
  readonly retryPolicy: Omit<RetryPolicy, "random">;
}

/** Progress of a part. */
export interface PartProgress {
  /** Bytes received since the last event; below 0 for discarded ones. */
  readonly bytes: number;
  /** Written bytes of the part, if they were reported since. */
  readonly start: PartStart | undefined;
}

/** Milliseconds between two progress events. */
const REPORT_MS = 50;

let opened:
  | Promise<{ remote: OpenRemote; retryPolicy: RetryPolicy }>
  | undefined;

/** Methods of the worker. */
export const methods = {
  open: async (order: RemoteOrder): Promise<void> => {
    const retryPolicy = { ...order.retryPolicy, random: Math.random };
    opened = remoteFor(order.source, order.variables, order.commit)
      .then((remote) => ({ remote, retryPolicy }));
    await opened;
  },
  fetch: async (
    order: PartOrder,
    { signal, notify }: MethodContext<PartProgress>,
  ): Promise<string> => {
    let bytes = 0;
    let start: PartStart | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const report = () => {
      clearTimeout(timer);
      timer = undefined;
      if (bytes !== 0) notify({ bytes, start });
      bytes = 0;
      start = undefined;
    };
    try {
      const { remote, retryPolicy } = await opened!;
      return await fetchPart(remote.remote, order, retryPolicy, {
        signal,
        onBytes: (count) => {
          bytes += count;
          // The timer also reports the last bytes before a line stalls.
          timer ??= setTimeout(report, REPORT_MS);
        },
        onStart: (written) => {
          start = written;
        },
      });
    } finally {
      report();
    }
  },
};

/** Type of the methods, for the client. */
export type PartMethods = typeof methods;

serveMethods(methods);
