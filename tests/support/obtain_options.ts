/**
 * The options of model downloads in tests: a temporary cache, a local hub,
 * small parts and short delays.
 *
 * @module
 */

import type { DownloadEffort } from "../../deploy/cache/transfer/download.ts";
import type { ObtainOptions } from "../../deploy/cache/obtain.ts";
import { remoteVariables } from "../../deploy/cache/net/remote_for.ts";

/** Effort of small parts, short delays and no worker threads. */
export const fastRetries: DownloadEffort = {
  connections: 4,
  workers: 0,
  workersFrom: 0,
  partBytes: () => 2 ** 15,
  retryPolicy: {
    attempts: 5,
    baseMs: 1,
    maxMs: 20,
    // Longer than the pauses of a busy machine.
    stallMs: 2_000,
    random: Math.random,
  },
};

/**
 * Creates the options of a download from the hub at `endpoint` into `cache`.
 *
 * @param verify True to verify hashes again.
 */
export function obtainOptions(
  cache: string,
  endpoint: string,
  variables: Readonly<Record<string, string>> = {},
  verify = false,
): ObtainOptions {
  const all: Record<string, string> = { HF_ENDPOINT: endpoint, ...variables };
  return {
    places: {
      modelFolders: [],
      hubCaches: [cache],
      downloads: {
        cache,
        variables: remoteVariables((name) => all[name]),
        verify,
      },
    },
    onProgress: () => {},
    signal: new AbortController().signal,
    transferOptions: fastRetries,
  };
}
