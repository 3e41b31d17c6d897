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

/**
 * Returns the settings as TOML.
 *
 * @param folder Absolute path of the data.
 */
export function restateSettings(folder: string, ports: RestatePorts): string {
  const { ingress, admin, node } = ports;
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
    // The check for a release is blocked, and would be reported as an error.
    "log-filter": "warn,octocrab=off",
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
      invoker: { "memory-limit": "256.0 MiB" },
    },
    bifrost: { "record-cache-memory-size": "32.0 MiB" },
  });
}
