/**
 * The configuration of the nodes: one file for all of them, and the variables
 * that differ.
 *
 * No node provisions the cluster by itself: a node that lost its disk would
 * found a second one. A job does it once.
 *
 * @module
 */

import { stringify } from "smol-toml";
import type { ClusterOptions } from "./cluster_options.ts";

/** The options of the configuration file. */
export interface RestateConfigOptions extends
  Pick<
    ClusterOptions,
    | "name"
    | "replication"
    | "partitions"
    | "memoryMib"
    | "snapshots"
    | "snapshotInterval"
    | "snapshotRecords"
    | "storeEndpoint"
    | "storeRegion"
  > {
  /** Addresses between nodes. */
  readonly addresses: readonly string[];
  /** Path of the key that signs requests to the service. */
  readonly identityKey: string;
}

/** The addresses of one node. */
export interface NodeAddresses {
  /** Name within the cluster. */
  readonly name: string;
  /** Address at which other nodes reach it. */
  readonly address: string;
  /** Folder of its data. */
  readonly folder: string;
  /** Addresses that it listens on; undefined for those of Restate. */
  readonly listen?: {
    readonly node: string;
    readonly admin: string;
    readonly ingress: string;
  };
}

/**
 * Shares of a node's memory. The rest is for code and connections, which take
 * 130 MiB.
 */
const MEMORY = {
  rocksdb: 0.35,
  invoker: 0.15,
  records: 0.05,
  data: 0.05,
  queries: 0.1,
} as const;

/** Seconds in which a node hands over its partitions when it stops. */
export const NODE_SHUTDOWN_S = 30;

/** Renders `restate.toml`. */
export function restateConfig(options: RestateConfigOptions): string {
  const { name, memoryMib, storeEndpoint, storeRegion } = options;
  const share = (of: number) => `${Math.floor(memoryMib * of)} MiB`;
  const text = stringify({
    "cluster-name": name,
    "auto-provision": false,
    "default-num-partitions": options.partitions,
    "default-replication": options.replication,
    "disable-telemetry": true,
    "shutdown-timeout": `${NODE_SHUTDOWN_S}s`,
    "log-format": "json",
    // octocrab asks for newer releases, which the deployment blocks.
    "log-filter": "warn,restate=info,octocrab=off",
    "rocksdb-total-memory-size": share(MEMORY.rocksdb),
    "metadata-server": { type: "replicated" },
    "metadata-client": { type: "replicated", addresses: options.addresses },
    bifrost: {
      "default-provider": "replicated",
      "record-cache-memory-size": share(MEMORY.records),
    },
    worker: {
      "data-service-memory-limit": share(MEMORY.data),
      invoker: {
        "memory-limit": share(MEMORY.invoker),
        "request-identity-private-key-pem-file": options.identityKey,
      },
      snapshots: {
        destination: options.snapshots,
        // Both conditions must hold.
        "snapshot-interval": options.snapshotInterval,
        "snapshot-interval-num-records": options.snapshotRecords,
        "num-retained": 2,
        ...storeRegion !== undefined && { "aws-region": storeRegion },
        ...storeEndpoint !== undefined && {
          "aws-endpoint-url": storeEndpoint,
          "aws-allow-http": storeEndpoint.startsWith("http:"),
        },
      },
    },
    admin: { "query-engine": { "memory-size": share(MEMORY.queries) } },
  });
  return `# Restate for the chains of Emu3, all nodes.\n${text}`;
}

/** Returns the variables of one node. */
export function nodeVariables(
  { name, address, folder, listen }: NodeAddresses,
): Record<string, string> {
  return {
    RESTATE_NODE_NAME: name,
    RESTATE_ADVERTISED_ADDRESS: address,
    RESTATE_BASE_DIR: folder,
    // Without sockets in files: the root is read-only.
    RESTATE_LISTEN_MODE: "tcp",
    ...listen !== undefined && {
      RESTATE_BIND_ADDRESS: listen.node,
      RESTATE_ADMIN__BIND_ADDRESS: listen.admin,
      RESTATE_INGRESS__BIND_ADDRESS: listen.ingress,
    },
  };
}
