/**
 * The nodes of Restate on Kubernetes: a StatefulSet with a volume each, and its
 * services.
 *
 * @module
 */

import { CONFINED, USER } from "../platform.ts";
import {
  type ClusterOptions,
  NODE_PORTS,
  nodeNames,
  RELEASES,
} from "./cluster_options.ts";
import {
  NODE_SHUTDOWN_S,
  nodeVariables,
  restateConfig,
} from "./restate_config.ts";
import { CREDENTIALS, snapshotStore } from "./snapshot_store.ts";

/** Folders and files in a node's container. */
const DATA = "/restate-data";
const CONFIG = "/etc/restate";
const IDENTITY = "/run/secrets/identity";
const STORE = "/run/secrets/store";

/** Label of a part: nodes, chains or register. */
const PART = "app.kubernetes.io/component";

/** Returns the metadata of an object of the cluster. */
export function metadata(
  { name, namespace }: ClusterOptions,
  part: string,
  own: string,
): Readonly<Record<string, unknown>> {
  return {
    name: own,
    ...namespace !== undefined && { namespace },
    labels: partLabels({ name }, part),
  };
}

/** Returns the labels of a part, by which others select it. */
export function partLabels(
  { name }: Pick<ClusterOptions, "name">,
  part: string,
): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/name": "emu3-workflows",
    "app.kubernetes.io/instance": name,
    [PART]: part,
  };
}

/** Returns the address of a node's port within the namespace. */
export function nodeAddress(
  { name }: ClusterOptions,
  node: string,
  port: number,
): string {
  return `http://${node}.${name}-nodes:${port}`;
}

/** Returns the documents of the nodes. */
export function nodeDocuments(options: ClusterOptions): readonly unknown[] {
  const { name } = options;
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata(options, "nodes", `${name}-config`),
      data: {
        "restate.toml": restateConfig({
          ...options,
          addresses: nodeNames(options).map((node) =>
            nodeAddress(options, node, NODE_PORTS.node)
          ),
          identityKey: `${IDENTITY}/identity.pem`,
        }),
      },
    },
    service(options, "nodes", ["node", "admin", "ingress"], {
      clusterIP: "None",
      // Nodes find each other before the cluster is provisioned.
      publishNotReadyAddresses: true,
    }),
    service(options, "ingress", ["ingress"], {}),
    service(options, "admin", ["admin"], {}),
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata(options, "nodes", `${name}-nodes`),
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: partLabels(options, "nodes") },
      },
    },
    statefulSet(options),
  ];
}

function service(
  options: ClusterOptions,
  own: string,
  ports: readonly (keyof typeof NODE_PORTS)[],
  more: Readonly<Record<string, unknown>>,
) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(options, "nodes", `${options.name}-${own}`),
    spec: {
      ...more,
      selector: partLabels(options, "nodes"),
      ports: ports.map((name) => ({
        name,
        port: NODE_PORTS[name],
        targetPort: name,
      })),
    },
  };
}

function statefulSet(options: ClusterOptions) {
  const { name, nodes, storageGib } = options;
  const labels = partLabels(options, "nodes");
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadata(options, "nodes", name),
    spec: {
      serviceName: `${name}-nodes`,
      replicas: nodes,
      // All at once: after an outage the metadata needs a majority to start.
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      minReadySeconds: 10,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod(options, labels) },
      volumeClaimTemplates: [{
        metadata: { name: "data", labels },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: `${storageGib}Gi` } },
        },
      }],
    },
  };
}

function pod(
  options: ClusterOptions,
  labels: Readonly<Record<string, string>>,
) {
  const { name, storeSecret } = options;
  const { fileVariable } = snapshotStore(options);
  const files = fileVariable === undefined
    ? []
    : [{ name: "store", mountPath: STORE, readOnly: true }];
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: NODE_SHUTDOWN_S + 30,
    securityContext: { fsGroup: USER },
    hostAliases: [{ ip: "127.0.0.1", hostnames: [RELEASES] }],
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{
          topologyKey: "kubernetes.io/hostname",
          labelSelector: { matchLabels: labels },
        }],
      },
    },
    topologySpreadConstraints: [{
      maxSkew: 1,
      topologyKey: "topology.kubernetes.io/zone",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: labels },
    }],
    containers: [{
      ...container(options),
      volumeMounts: [
        { name: "data", mountPath: DATA },
        { name: "config", mountPath: CONFIG, readOnly: true },
        { name: "identity", mountPath: IDENTITY, readOnly: true },
        { name: "tmp", mountPath: "/tmp" },
        ...files,
      ],
    }],
    volumes: [
      { name: "config", configMap: { name: `${name}-config` } },
      {
        name: "identity",
        secret: {
          secretName: `${name}-identity`,
          items: [{ key: "identity.pem", path: "identity.pem" }],
        },
      },
      { name: "tmp", emptyDir: {} },
      ...files.length === 0 ? [] : [{
        name: "store",
        secret: { secretName: storeSecret },
      }],
    ],
  };
}

function container(options: ClusterOptions) {
  const { cpus, memoryMib, restateImage, storeSecret } = options;
  const { variables, fileVariable } = snapshotStore(options);
  const memory = `${memoryMib}Mi`;
  return {
    name: "restate",
    image: restateImage,
    args: ["--no-logo", "--config-file", `${CONFIG}/restate.toml`],
    ports: Object.entries(NODE_PORTS).map(([name, containerPort]) => ({
      name,
      containerPort,
    })),
    env: [
      {
        name: "POD",
        valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
      },
      ...Object.entries(nodeVariables({
        name: "$(POD)",
        address: nodeAddress(options, "$(POD)", NODE_PORTS.node),
        folder: DATA,
      })).map(([name, value]) => ({ name, value })),
      ...fileVariable === undefined
        ? []
        : [{ name: fileVariable, value: `${STORE}/${CREDENTIALS}` }],
      ...variables.map((key) => ({
        name: key,
        valueFrom: { secretKeyRef: { name: storeSecret, key } },
      })),
    ],
    resources: {
      requests: { cpu: String(cpus / 2), memory },
      limits: { cpu: String(cpus), memory },
    },
    // The ingress is there once the cluster is provisioned; the port between
    // nodes is there from the start.
    readinessProbe: {
      httpGet: { path: "/restate/health", port: "ingress" },
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    livenessProbe: {
      tcpSocket: { port: "node" },
      initialDelaySeconds: 30,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    securityContext: CONFINED,
  };
}
