/**
 * The settings of one Restate server: on loopback only, with bounded memory,
 * without telemetry.
 *
 * @module
 */

import { stringify } from "smol-toml";

/** The ports of Restate's server. */
export interface RestatePorts {
  /** Port of its ingress, which starts chains. */
  readonly ingress: number;
  /** Port of its administration and its user interface. */
  readonly admin: number;
  /** Port of its nodes among each other. */
  readonly node: number;
}

/** Name of the one node, and of its folder within the data. */
export const NODE_NAME = "emu3";

/** Address that all of Restate's ports are bound to. */
const HOST = "127.0.0.1";

/** Options that differ between servers. */
export interface RestateOptions {
  /** Absolute path of the data. */
  readonly folder: string;
  /** Path of the private key that signs requests. */
  readonly identity: string;
  /** Its ports. */
  readonly ports: RestatePorts;
}

/** Returns the settings as TOML. */
export function restateSettings(
  { folder, identity, ports: { ingress, admin, node } }: RestateOptions,
): string {
  return stringify({
    "cluster-name": "emu3",
    "node-name": NODE_NAME,
    "base-dir": folder,
    "listen-mode": "tcp",
    "bind-address": `${HOST}:${node}`,
    "advertised-address": `http://${HOST}:${node}`,
    "auto-provision": true,
    "disable-telemetry": true,
    // A partition has its own memory, and one of chains has little to do.
    "default-num-partitions": 4,
    "rocksdb-total-memory-size": "128.0 MiB",
    "shutdown-timeout": "10s",
    // The service logs its retries, and the check for a release is blocked.
    "log-filter": "warn,restate_invoker_impl=error,octocrab=off",
    "log-format": "compact",
    "log-disable-ansi-codes": true,
    admin: {
      "bind-address": `${HOST}:${admin}`,
      "advertised-address": `http://${HOST}:${admin}`,
      "query-engine": { "memory-size": "64.0 MiB" },
    },
    ingress: {
      "bind-address": `${HOST}:${ingress}`,
      "advertised-address": `http://${HOST}:${ingress}`,
    },
    worker: {
      "data-service-memory-limit": "32.0 MiB",
      "self-proposal-queue-memory-limit": "16.0 MiB",
      // Of one message: the codes of a picture are a few hundred KiB.
      invoker: {
        "memory-limit": "256.0 MiB",
        "request-identity-private-key-pem-file": identity,
      },
    },
    bifrost: { "record-cache-memory-size": "32.0 MiB" },
  });
}
