/**
 * The command line of `deno task deploy workflows`.
 *
 * @module
 */

import {
  parseCommandLine,
  UsageError,
  wholeNumber,
} from "../../../lib/command_line.ts";
import { RESTATE_VERSION } from "../../workflows/restate/restate_binary.ts";
import type { Rendering } from "../platform.ts";
import { renderComposeCluster } from "./cluster_compose.ts";
import { renderKubernetesCluster } from "./cluster_kubernetes.ts";
import { checkClusterOptions, type ClusterOptions } from "./cluster_options.ts";

/** Platforms of a cluster. */
const PLATFORMS: Readonly<
  Record<string, (options: ClusterOptions) => Rendering>
> = { kubernetes: renderKubernetesCluster, compose: renderComposeCluster };

/** The arguments of the command. */
export type ClusterArguments =
  | {
    readonly type: "render";
    /** Name of the platform. */
    readonly platform: string;
    /** Options of the cluster. */
    readonly options: ClusterOptions;
    /** Folder for the files; undefined to print them only. */
    readonly out: string | undefined;
  }
  | {
    readonly type: "identity-key";
    /** Path of the private key. */
    readonly path: string;
  };

/** Image of Restate, in the version that chains are tested with. */
export const RESTATE_IMAGE = `docker.io/restatedev/restate:${RESTATE_VERSION}`;

/** Usage text of the command. */
export const CLUSTER_USAGE =
  `Usage: deno task deploy workflows kubernetes|compose --image <reference> --snapshots <url> --dry-run|--out <folder> [options]
       deno task deploy workflows identity-key <identity.pem>

Writes the files of a cluster of Restate that runs the chains, with their
service, or prints the public key of the key that signs its requests.

Options:
  --image              reference of the image built from
                       deploy/Containerfile.workflows (required)
  --snapshots          destination of snapshots: s3://, gs:// or az:// with a
                       bucket and a folder (required)
  --store-cidr         addresses of the object store, as a CIDR block; can be
                       repeated (required for kubernetes)
  --store-endpoint     address of a store that speaks S3 (Amazon's)
  --store-region       region of an S3 store
  --store-secret       secret with the store's credentials (<name>-store)
  --snapshot-interval  least time between two snapshots of a partition (10m)
  --snapshot-records   least log records between two snapshots (1000)
  --dry-run            print the files
  --out                write the files to this folder
  --name               name of the cluster (emu3-workflows)
  --namespace          namespace of Kubernetes (the current one)
  --nodes              nodes of Restate (3)
  --replication        nodes that hold each record (2)
  --partitions         partitions, fixed at creation (24)
  --memory-mib         memory per node, in MiB (2048)
  --cpus               processors per node (2)
  --storage-gib        storage per node, in GiB (20)
  --replicas           replicas of the service (2)
  --data               claim (kubernetes, ReadWriteMany) or folder (compose) of
                       the chain prepare
  --revision           revision of the service, a new one if chains change (1)
  --emu3-url           address of the server (http://emu3, with compose
                       http://emu3:8080)
  --emu3-cidr          its addresses, if it is outside Kubernetes; can be
                       repeated
  --emu3-secret        secret with EMU3_API_KEY
  --restate-image      image of Restate
                       (${RESTATE_IMAGE})`;

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;

const OPTIONS = {
  ...{ image: TEXT, "restate-image": TEXT, name: TEXT, namespace: TEXT },
  ...{ nodes: TEXT, replication: TEXT, partitions: TEXT, replicas: TEXT },
  ...{ revision: TEXT, "memory-mib": TEXT, cpus: TEXT, "storage-gib": TEXT },
  ...{ snapshots: TEXT, "snapshot-interval": TEXT, "snapshot-records": TEXT },
  ...{ "store-cidr": TEXTS, "store-endpoint": TEXT, "store-region": TEXT },
  ...{ "store-secret": TEXT, "emu3-url": TEXT, "emu3-cidr": TEXTS },
  ...{ "emu3-secret": TEXT, out: TEXT, data: TEXT },
  "dry-run": { type: "boolean" },
} as const;

/**
 * Parses a command line, without its first word.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseClusterArguments(
  words: readonly string[],
): ClusterArguments {
  try {
    return parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("deploy", cause.message, CLUSTER_USAGE, { cause });
  }
}

/**
 * Renders the files of a cluster.
 *
 * @throws {OptionsError} When an option is invalid.
 */
export function renderCluster(
  platform: string,
  options: ClusterOptions,
): Rendering {
  return PLATFORMS[platform]!(checkClusterOptions(options));
}

function parse(words: readonly string[]): ClusterArguments {
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  const [platform, path, ...others] = positionals;
  if (platform === "identity-key") {
    if (path === undefined) throw new SyntaxError("the file is missing");
    return { type: "identity-key", path };
  }
  if (platform === undefined || !Object.hasOwn(PLATFORMS, platform)) {
    const names = Object.keys(PLATFORMS).join(" or ");
    throw new SyntaxError(`expected ${names}, found "${platform ?? ""}"`);
  }
  const unexpected = path ?? others[0];
  if (unexpected !== undefined) {
    throw new SyntaxError(`"${unexpected}" is unexpected`);
  }
  const { image, snapshots, out, "dry-run": dry } = values;
  if (!image) throw new SyntaxError("--image is missing");
  if (!snapshots) throw new SyntaxError("--snapshots is missing");
  if ((out === undefined) !== (dry === true)) {
    throw new SyntaxError("expected either --dry-run or --out");
  }
  const name = values.name ?? "emu3-workflows";
  const number = (option: keyof typeof OPTIONS, otherwise: number) =>
    wholeNumber(option, values[option] as string | undefined) ?? otherwise;
  const options: ClusterOptions = {
    image,
    restateImage: values["restate-image"] ?? RESTATE_IMAGE,
    name,
    namespace: values.namespace,
    nodes: number("nodes", 3),
    replication: number("replication", 2),
    partitions: number("partitions", 24),
    memoryMib: number("memory-mib", 2048),
    cpus: number("cpus", 2),
    storageGib: number("storage-gib", 20),
    snapshots,
    snapshotInterval: values["snapshot-interval"] ?? "10m",
    snapshotRecords: number("snapshot-records", 1000),
    storeEndpoint: values["store-endpoint"],
    storeRegion: values["store-region"],
    storeSecret: values["store-secret"] ?? `${name}-store`,
    storeCidrs: values["store-cidr"] ?? [],
    emu3Url: values["emu3-url"] ??
      (platform === "compose" ? "http://emu3:8080" : "http://emu3"),
    emu3Cidrs: values["emu3-cidr"] ?? [],
    emu3Secret: values["emu3-secret"],
    data: values.data,
    replicas: number("replicas", 2),
    revision: number("revision", 1),
  };
  return { type: "render", platform, options, out };
}
