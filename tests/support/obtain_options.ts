/**
 * How tests obtain models: into a folder of their own, from a hub of their own,
 * in small parts and without patience.
 *
 * @module
 */

import type { DownloadEffort } from "../../deploy/cache/transfer/download.ts";
import type { ObtainOptions } from "../../deploy/cache/obtain.ts";
import { remoteVariables } from "../../deploy/cache/net/remote_for.ts";

/** Small parts, short waits, this thread. */
export const impatient: DownloadEffort = {
  connections: 4,
  workers: 0,
  workersFrom: 0,
  partBytes: () => 2 ** 15,
  patience: {
    attempts: 5,
    baseMs: 1,
    maxMs: 20,
    stallMs: 150,
    random: Math.random,
  },
};

/**
 * Options of an obtain from the hub at `endpoint` into `cache`.
 *
 * @param verify Whether hashes are compared again.
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
    effort: impatient,
  };
}
