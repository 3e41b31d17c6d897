/**
 * The options of a cluster of Restate with the service of the chains.
 *
 * @module
 */

import { checkImage, checkName, OptionsError } from "../options.ts";
import { type SnapshotDestination, snapshotStore } from "./snapshot_store.ts";

/** The options of a cluster. */
export interface ClusterOptions extends SnapshotDestination {
  /** Reference of the image of the service. */
  readonly image: string;
  /** Reference of the image of Restate. */
  readonly restateImage: string;
  /** Name of the cluster, and prefix of its parts. */
  readonly name: string;
  /** Namespace of Kubernetes; undefined for the current one. */
  readonly namespace: string | undefined;
  /** Number of nodes. */
  readonly nodes: number;
  /** Nodes that hold each log record and each partition. */
  readonly replication: number;
  /** Number of partitions, which is fixed when the cluster is created. */
  readonly partitions: number;
  /** Memory per node, in MiB. */
  readonly memoryMib: number;
  /** Processors per node. */
  readonly cpus: number;
  /** Storage per node, in GiB. */
  readonly storageGib: number;
  /** Least time between two snapshots of a partition, such as `10m`. */
  readonly snapshotInterval: string;
  /** Least number of log records between two snapshots of a partition. */
  readonly snapshotRecords: number;
  /** Name of the secret with the store's credentials. */
  readonly storeSecret: string;
  /** Addresses of the store that nodes may connect to, as CIDR blocks. */
  readonly storeCidrs: readonly string[];
  /** Address of the server of the endpoints. */
  readonly emu3Url: string;
  /** Addresses of that server, if it is outside the cluster. */
  readonly emu3Cidrs: readonly string[];
  /** Name of the secret with EMU3_API_KEY; undefined for none. */
  readonly emu3Secret: string | undefined;
  /** Claim or folder of the chain `prepare`; undefined for none. */
  readonly data: string | undefined;
  /** Replicas of the service. */
  readonly replicas: number;
  /** Revision of the service: one that changes its chains has a new number. */
  readonly revision: number;
}

/** Ports of a node: between nodes, admin API and ingress. */
export const NODE_PORTS = { node: 5122, admin: 9070, ingress: 8080 } as const;

/** Port of the service of the chains. */
export const SERVICE_PORT = 9080;

/** Host that Restate asks for newer releases, whatever its settings. */
export const RELEASES = "api.github.com";

/** Least memory of a node, in MiB: below it Restate does not start reliably. */
const LEAST_MEMORY_MIB = 512;

const CIDR = /^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}|[\da-f:]+\/\d{1,3})$/i;

/**
 * Checks the options.
 *
 * @throws {OptionsError} Naming the first invalid option.
 */
export function checkClusterOptions(options: ClusterOptions): ClusterOptions {
  const { nodes, replication, memoryMib, emu3Url } = options;
  checkImage(options.image);
  checkImage(options.restateImage);
  checkName(options.name);
  if (options.namespace !== undefined) checkName(options.namespace);
  if (nodes < 3 || nodes % 2 === 0) {
    throw new OptionsError(
      `nodes is ${nodes}, expected 3 or a larger odd number: the metadata needs a majority`,
    );
  }
  if (replication < 2 || replication >= nodes) {
    throw new OptionsError(
      `replication is ${replication}, expected 2 to ${
        nodes - 1
      }, so that a node can be lost`,
    );
  }
  if (memoryMib < LEAST_MEMORY_MIB) {
    throw new OptionsError(
      `memoryMib is ${memoryMib}, expected at least ${LEAST_MEMORY_MIB}`,
    );
  }
  if (!/^\d+(ms|s|m|h)$/.test(options.snapshotInterval)) {
    throw new OptionsError(
      `snapshotInterval is "${options.snapshotInterval}", expected a duration such as 10m`,
    );
  }
  for (const url of [emu3Url, options.storeEndpoint]) {
    if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
      continue;
    }
    throw new OptionsError(`"${url}" is not an address such as http://emu3`);
  }
  for (const cidr of [...options.storeCidrs, ...options.emu3Cidrs]) {
    if (CIDR.test(cidr)) continue;
    throw new OptionsError(
      `"${cidr}" is not a CIDR block, such as 203.0.113.0/24`,
    );
  }
  snapshotStore(options);
  return options;
}

/** Returns the names of the nodes. */
export function nodeNames({ name, nodes }: ClusterOptions): string[] {
  return Array.from({ length: nodes }, (_, index) => `${name}-${index}`);
}

/** Returns the name of this revision of the service. */
export function serviceName({ name, revision }: ClusterOptions): string {
  return `${name}-chains-${revision}`;
}
