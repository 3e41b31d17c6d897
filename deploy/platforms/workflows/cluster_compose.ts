/**
 * The cluster with Docker Compose, all nodes on one machine: for trials, and
 * for disks and processes that fail, but not for a machine that does.
 *
 * Nodes and chains reach the server of the endpoints over its own network, which
 * `task deploy compose` creates.
 *
 * @module
 */

import { exportSteps, type Rendering, yaml } from "../platform.ts";
import {
  type ClusterOptions,
  NODE_PORTS,
  nodeNames,
  RELEASES,
  SERVICE_PORT,
  serviceName,
} from "./cluster_options.ts";
import { IDENTITY_STEPS } from "./identity_key.ts";
import {
  NODE_SHUTDOWN_S,
  nodeVariables,
  restateConfig,
} from "./restate_config.ts";
import {
  DATA_FOLDER,
  REGISTER,
  REGISTRATION_MEMORY_MIB,
  SERVICE_GRACE_S,
  SERVICE_MEMORY_MIB,
  serviceVariables,
} from "./service_container.ts";
import { snapshotStore } from "./snapshot_store.ts";

const DATA = "/restate-data";
const CONFIG = "/etc/restate.toml";

/** File with credentials of the store, beside compose.yaml. */
const STORE_FILE = "store.json";

/** Settings of every container. */
const CONFINED = {
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  read_only: true,
  tmpfs: ["/tmp"],
} as const;

/** Renders the files of Compose. */
export function renderComposeCluster(options: ClusterOptions): Rendering {
  const { name, emu3Secret } = options;
  const { variables, fileVariable } = snapshotStore(options);
  const secrets = [...variables];
  if (emu3Secret !== undefined) secrets.push("EMU3_API_KEY");
  return {
    files: {
      "compose.yaml": yaml(
        "Restate and the chains of Emu3 with Docker Compose.",
        document(options),
      ),
      "restate.toml": restateConfig({
        ...options,
        addresses: nodeNames(options).map(address),
        identityKey: "/run/secrets/identity",
      }),
    },
    steps: [
      ...IDENTITY_STEPS,
      'export RESTATE_IDENTITY_KEY="$(cat identity.pub)"',
      ...exportSteps(
        Object.fromEntries(secrets.map((variable) => [variable, variable])),
      ),
      ...fileVariable === undefined
        ? []
        : [`cp "$${fileVariable}" ${STORE_FILE}`],
      "docker compose up --detach",
      "docker compose wait register",
      `# WORKFLOWS_URL of the server: http://${name}:${NODE_PORTS.ingress}`,
    ],
  };
}

function address(node: string): string {
  return `http://${node}:${NODE_PORTS.node}`;
}

function document(options: ClusterOptions) {
  const { name } = options;
  const nodes = nodeNames(options);
  const { fileVariable } = snapshotStore(options);
  return {
    name,
    services: {
      ...Object.fromEntries(nodes.map((own) => [own, node(options, own)])),
      provision: provision(options, nodes),
      chains: chains(options),
      register: register(options, nodes),
    },
    configs: { restate: { file: "./restate.toml" } },
    secrets: {
      identity: { file: "./identity.pem" },
      ...fileVariable !== undefined && { store: { file: `./${STORE_FILE}` } },
    },
    networks: {
      cluster: { internal: true },
      emu3: { name: "emu3_default", external: true },
    },
    volumes: Object.fromEntries(nodes.map((own) => [own, {}])),
  };
}

function node(options: ClusterOptions, own: string) {
  const { name, restateImage, cpus, memoryMib } = options;
  const { variables, fileVariable } = snapshotStore(options);
  return {
    image: restateImage,
    command: ["--no-logo", "--config-file", CONFIG],
    restart: "unless-stopped",
    environment: {
      ...nodeVariables({ name: own, address: address(own), folder: DATA }),
      ...Object.fromEntries(
        variables.map((variable) => [variable, `\${${variable}:?}`]),
      ),
      ...fileVariable !== undefined && { [fileVariable]: "/run/secrets/store" },
    },
    configs: [{ source: "restate", target: CONFIG }],
    secrets: ["identity", ...fileVariable === undefined ? [] : ["store"]],
    // One name for the ingress of all nodes.
    networks: { cluster: {}, emu3: { aliases: [name] } },
    extra_hosts: { [RELEASES]: "127.0.0.1" },
    volumes: [`${own}:${DATA}`],
    stop_grace_period: `${NODE_SHUTDOWN_S + 30}s`,
    ...CONFINED,
    // The key belongs to the user of the machine, who alone may read it.
    user: "root",
    cap_add: ["DAC_OVERRIDE"],
    deploy: {
      resources: { limits: { cpus: String(cpus), memory: `${memoryMib}m` } },
    },
  };
}

function provision(
  { restateImage }: ClusterOptions,
  [first = ""]: readonly string[],
) {
  return {
    image: restateImage,
    entrypoint: ["restatectl", "provision", "--yes", "--address"],
    // Always by the same node: two would found two clusters.
    command: [address(first)],
    restart: "on-failure",
    depends_on: { [first]: { condition: "service_started" } },
    networks: ["cluster"],
    ...CONFINED,
  };
}

function chains(options: ClusterOptions) {
  const { image, replicas, emu3Secret, data } = options;
  return {
    image,
    restart: "unless-stopped",
    environment: {
      ...serviceVariables(options),
      RESTATE_IDENTITY_KEY: "${RESTATE_IDENTITY_KEY:?}",
      ...emu3Secret !== undefined && { EMU3_API_KEY: "${EMU3_API_KEY:?}" },
    },
    networks: {
      cluster: { aliases: [serviceName(options)] },
      emu3: {},
    },
    ...data !== undefined && { volumes: [`${data}:${DATA_FOLDER}`] },
    stop_grace_period: `${SERVICE_GRACE_S}s`,
    ...CONFINED,
    deploy: {
      replicas,
      resources: { limits: { memory: `${SERVICE_MEMORY_MIB}m` } },
    },
  };
}

function register(options: ClusterOptions, nodes: readonly string[]) {
  const { admin, ingress } = NODE_PORTS;
  return {
    image: options.image,
    entrypoint: [...REGISTER],
    command: [
      `http://${serviceName(options)}:${SERVICE_PORT}`,
      `http://${nodes[0]}:${admin}`,
      ...nodes.map((own) => `http://${own}:${ingress}`),
    ],
    restart: "on-failure",
    depends_on: {
      provision: { condition: "service_completed_successfully" },
      chains: { condition: "service_started" },
    },
    networks: ["cluster"],
    ...CONFINED,
    deploy: {
      resources: { limits: { memory: `${REGISTRATION_MEMORY_MIB}m` } },
    },
  };
}
