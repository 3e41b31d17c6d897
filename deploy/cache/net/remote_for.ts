/**
 * The factory of remotes: opens the remote that a source names.
 *
 * Its inputs are plain data, so that a worker opens the same remote.
 *
 * @module
 */

import { join } from "node:path";
import { HubRemote } from "../hub/hub_remote.ts";
import { PROXY_VARIABLES, RangeConnections } from "./range_connections.ts";
import { type Remote, RemoteError } from "./remote.ts";
import {
  type RemoteSource,
  type UrlSource,
  withoutSecrets,
} from "../source.ts";
import { STORE_VARIABLES } from "../stores/store_variables.ts";

/** Values of the variables that remotes read. */
export type RemoteVariables = ReadonlyMap<string, string>;

/** Names of the variables that remotes read: addresses and credentials. */
const NAMES = [
  "HOME",
  "USERPROFILE",
  "XDG_CACHE_HOME",
  "HF_HOME",
  "HF_ENDPOINT",
  "HF_TOKEN",
  "HF_TOKEN_PATH",
  "HF_HUB_OFFLINE",
  ...STORE_VARIABLES,
  ...PROXY_VARIABLES,
] as const;

/** Returns the current values of the variables that remotes read. */
export function remoteVariables(
  variable: (name: string) => string | undefined,
): RemoteVariables {
  return new Map(
    [...new Set(NAMES)].flatMap((name) => {
      const value = variable(name)?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

/** A remote with the connections that it keeps open. */
export interface OpenRemote extends Disposable {
  /** The remote; unusable after disposal. */
  readonly remote: Remote;
}

/** A function that opens remotes; tests pass their own. */
export type OpenRemoteOf = (
  source: RemoteSource,
  variables: RemoteVariables,
  commit: string | undefined,
) => Promise<OpenRemote>;

/**
 * Opens the remote of `source`.
 *
 * @param commit Commit that was listed before; undefined to list it.
 * @throws {RemoteError} When access to it is not allowed.
 */
export async function remoteFor(
  source: RemoteSource,
  variables: RemoteVariables,
  commit: string | undefined,
): Promise<OpenRemote> {
  if (source.type !== "hub") return await openUrl(source, variables);
  if (/^(1|on|yes|true)$/i.test(variables.get("HF_HUB_OFFLINE") ?? "")) {
    throw new RemoteError(
      `Cannot download ${source.text}: HF_HUB_OFFLINE is set; unset it`,
      { type: "elsewhere" },
    );
  }
  const token = await hubToken(variables);
  const connections = new RangeConnections(variables);
  const remote = new HubRemote(source, {
    endpoint: variables.get("HF_ENDPOINT") ?? "https://huggingface.co",
    token,
    fetch: connections.fetch,
  });
  return {
    remote: commit === undefined ? remote : remote.at(commit),
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  };
}

async function openUrl(
  source: UrlSource,
  variables: RemoteVariables,
): Promise<OpenRemote> {
  // A start without downloads does not load signatures and XML.
  const { openRemote } = await import("../stores/open_store.ts");
  const connections = new RangeConnections(variables);
  try {
    const remote = openRemote(source.url, (name) => variables.get(name), {
      fetch: connections.fetch,
    });
    return {
      remote,
      [Symbol.dispose]: () => connections[Symbol.dispose](),
    };
  } catch (cause) {
    connections[Symbol.dispose]();
    if (!(cause instanceof TypeError)) throw cause;
    throw new RemoteError(
      `Cannot read ${withoutSecrets(source.text)}: ${cause.message}`,
      { type: "elsewhere" },
      { cause },
    );
  }
}

/**
 * Returns the token for a hub: from a variable, or from the file of `hf auth
 * login`.
 */
async function hubToken(
  variables: RemoteVariables,
): Promise<string | undefined> {
  const given = variables.get("HF_TOKEN");
  if (given !== undefined) return given;
  const home = variables.get("HOME") ?? variables.get("USERPROFILE");
  const cache = variables.get("XDG_CACHE_HOME") ??
    (home && join(home, ".cache"));
  const hugging = variables.get("HF_HOME") ??
    (cache && join(cache, "huggingface"));
  const path = variables.get("HF_TOKEN_PATH") ??
    (hugging && join(hugging, "token"));
  if (path === undefined) return undefined;
  try {
    return (await Deno.readTextFile(path)).trim() || undefined;
  } catch {
    // No login on this machine.
    return undefined;
  }
}
