/**
 * The service of the chains on Kubernetes, and the job that registers it.
 *
 * @module
 */

import { CONFINED, environmentList, USER } from "../platform.ts";
import {
  type ClusterOptions,
  NODE_PORTS,
  nodeNames,
  SERVICE_PORT,
  serviceName,
} from "./cluster_options.ts";
import { metadata, nodeAddress, partLabels } from "./kubernetes_nodes.ts";
import {
  DATA_FOLDER,
  REGISTER,
  REGISTRATION_MEMORY_MIB,
  SERVICE_GRACE_S,
  SERVICE_MEMORY_MIB,
  serviceVariables,
} from "./service_container.ts";

/** Label of a revision of the service. */
const REVISION = "emu3/revision";

/** Attempts of the job after its first. */
const RETRIES = 10;

/** Seconds that the ended job is kept. */
const KEPT_S = 3600;

/** Returns the documents of the service. */
export function chainDocuments(options: ClusterOptions): readonly unknown[] {
  const own = serviceName(options);
  const labels = {
    ...partLabels(options, "chains"),
    [REVISION]: String(options.revision),
  };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(options, "chains", own),
      spec: {
        selector: labels,
        ports: [{
          name: "h2c",
          port: SERVICE_PORT,
          targetPort: "h2c",
          appProtocol: "kubernetes.io/h2c",
        }],
      },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata(options, "chains", own),
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata(options, "chains", own),
      spec: {
        replicas: options.replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod(options, labels) },
      },
    },
  ];
}

function pod(
  options: ClusterOptions,
  labels: Readonly<Record<string, string>>,
) {
  const { name, image, emu3Secret, data } = options;
  const memory = `${SERVICE_MEMORY_MIB}Mi`;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: SERVICE_GRACE_S,
    securityContext: { fsGroup: USER },
    topologySpreadConstraints: [{
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: labels },
    }],
    containers: [{
      name: "chains",
      image,
      ports: [{ name: "h2c", containerPort: SERVICE_PORT }],
      env: [
        ...environmentList(serviceVariables(options), {
          RESTATE_IDENTITY_KEY: `${name}-identity`,
          ...emu3Secret !== undefined && { EMU3_API_KEY: emu3Secret },
        }, (variable) => variable),
      ],
      resources: {
        requests: { cpu: "100m", memory },
        limits: { memory },
      },
      readinessProbe: {
        httpGet: { path: "/health", port: "h2c" },
        periodSeconds: 5,
        timeoutSeconds: 5,
        failureThreshold: 2,
      },
      livenessProbe: {
        httpGet: { path: "/health", port: "h2c" },
        periodSeconds: 10,
        timeoutSeconds: 5,
        failureThreshold: 6,
      },
      securityContext: CONFINED,
      volumeMounts: [
        { name: "tmp", mountPath: "/tmp" },
        ...data === undefined ? [] : [{ name: "data", mountPath: DATA_FOLDER }],
      ],
    }],
    volumes: [
      { name: "tmp", emptyDir: {} },
      ...data === undefined ? [] : [{
        name: "data",
        persistentVolumeClaim: { claimName: data },
      }],
    ],
  };
}

/** Returns the name of the job that registers this revision. */
export function registrationName({ name, revision }: ClusterOptions): string {
  return `${name}-register-${revision}`;
}

/**
 * Returns the job that provisions the cluster and registers the service; again
 * is the same as once.
 */
export function registrationDocument(options: ClusterOptions): unknown {
  const { image, restateImage } = options;
  const nodes = nodeNames(options);
  const memory = `${REGISTRATION_MEMORY_MIB}Mi`;
  const resources = {
    requests: { cpu: "100m", memory },
    limits: { memory },
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadata(options, "register", registrationName(options)),
    spec: {
      backoffLimit: RETRIES,
      ttlSecondsAfterFinished: KEPT_S,
      template: {
        metadata: { labels: partLabels(options, "register") },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          restartPolicy: "OnFailure",
          initContainers: [{
            name: "provision",
            image: restateImage,
            // Always by the same node: two would found two clusters.
            command: [
              "restatectl",
              "provision",
              "--yes",
              "--address",
              nodeAddress(options, nodes[0]!, NODE_PORTS.node),
            ],
            resources,
            securityContext: CONFINED,
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          }],
          containers: [{
            name: "register",
            image,
            command: REGISTER,
            args: [
              `http://${serviceName(options)}:${SERVICE_PORT}`,
              `http://${options.name}-admin:${NODE_PORTS.admin}`,
              ...nodes.map((node) =>
                nodeAddress(options, node, NODE_PORTS.ingress)
              ),
            ],
            resources,
            securityContext: CONFINED,
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          }],
          volumes: [{ name: "tmp", emptyDir: {} }],
        },
      },
    },
  };
}
