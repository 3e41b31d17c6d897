/**
 * The worker that fetches parts: its own event loop, connections and writes.
 *
 * ```text
 * open ─▶             the remote, made of plain data
 * fetch ─▶ bytes … ─▶ fetched | failed
 * stop ─▶             ends that fetch
 * ```
 *
 * Entry point: `part_workers.ts` starts it and imports its types only.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { DiskError } from "../base/disk.ts";
import { fetchPart, type PartOrder, type PartStart } from "./fetch_part.ts";
import type { RetryPolicy } from "../retry_policy.ts";
import { type Remedy, RemoteError } from "../net/remote.ts";
import {
  type OpenRemote,
  remoteFor,
  type RemoteVariables,
} from "../net/remote_for.ts";
import type { RemoteSource } from "../source.ts";

/** A request to the worker. */
export type PartRequest =
  | {
    readonly kind: "open";
    readonly source: RemoteSource;
    readonly variables: RemoteVariables;
    readonly commit: string;
    readonly patience: Omit<RetryPolicy, "random">;
  }
  | { readonly kind: "fetch"; readonly id: number; readonly order: PartOrder }
  | { readonly kind: "stop"; readonly id: number };

/** A failure, as plain data that crosses between threads. */
export type PlainFailure =
  | {
    readonly type: "remote";
    readonly message: string;
    readonly remedy: Remedy;
  }
  | { readonly type: "disk"; readonly message: string }
  | { readonly type: "other"; readonly message: string };

/** A reply of the worker. */
export type PartReply =
  | {
    readonly kind: "bytes";
    readonly id: number;
    readonly count: number;
    readonly start: PartStart | undefined;
  }
  | { readonly kind: "fetched"; readonly id: number; readonly hash: string }
  | {
    readonly kind: "failed";
    readonly id: number;
    readonly failure: PlainFailure;
  };

/** Milliseconds between two progress replies. */
const TELL_MS = 50;

let opened: Promise<{ remote: OpenRemote; patience: RetryPolicy }> | undefined;
const running = new Map<number, AbortController>();

self.addEventListener("message", ({ data }: MessageEvent<PartRequest>) => {
  switch (data.kind) {
    case "open": {
      const patience = { ...data.patience, random: Math.random };
      opened = remoteFor(data.source, data.variables, data.commit)
        .then((remote) => ({ remote, patience }));
      // Requests for parts report the error.
      opened.catch(() => {});
      break;
    }
    case "fetch":
      void fetchFor(data.id, data.order);
      break;
    case "stop":
      running.get(data.id)?.abort();
      break;
    default:
      throw data satisfies never;
  }
});

async function fetchFor(id: number, order: PartOrder): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  let untold = 0;
  let start: PartStart | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    if (untold !== 0) reply({ kind: "bytes", id, count: untold, start });
    untold = 0;
    start = undefined;
  };
  try {
    const { remote, patience } = await opened!;
    const hash = await fetchPart(remote.remote, order, patience, {
      signal: controller.signal,
      onBytes: (count) => {
        untold += count;
        // The timer also reports the last bytes before a line stalls.
        timer ??= setTimeout(tell, TELL_MS);
      },
      onStart: (written) => {
        start = written;
      },
    });
    tell();
    reply({ kind: "fetched", id, hash });
  } catch (error) {
    tell();
    reply({ kind: "failed", id, failure: plain(error) });
  } finally {
    running.delete(id);
  }
}

function reply(message: PartReply): void {
  self.postMessage(message);
}

function plain(error: unknown): PlainFailure {
  if (error instanceof RemoteError) {
    const { message, remedy } = error;
    return { type: "remote", message, remedy };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: error instanceof DiskError ? "disk" : "other", message };
}
