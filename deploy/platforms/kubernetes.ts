/**
 * The platform Kubernetes, scaled by KEDA on the server's own queue.
 *
 * A terminating pod still receives requests for a moment, so it waits before
 * the server receives the signal. New servers start while requests wait, before
 * the busy ones refuse. Metrics are missing without a server, so at least one
 * stays. A single server keeps its jobs in the claim; several share the claim
 * for models, which its class must allow, and lose their jobs with their pods.
 *
 * @module
 */

import { type DeployOptions, OptionsError } from "./options.ts";
import {
  CONFINED,
  environmentList,
  environmentOf,
  type Facts,
  kubernetesSecretSteps,
  limits,
  type Platform,
  podMounts,
  podVolumes,
  PORT,
  probes,
  startSeconds,
  USER,
  yaml,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 90,
  beforeStopS: 5,
  startS: undefined,
  maxRequestS: undefined,
  gpu: true,
};

/** Default URL of the Prometheus operator's server. */
const PROMETHEUS = "http://prometheus-operated.monitoring:9090";

/**
 * The platform Kubernetes: Deployment, Service, PersistentVolumeClaim,
 * ScaledObject.
 */
export const KUBERNETES: Platform = {
  name: "kubernetes",
  meaning: "Kubernetes, with KEDA to scale",
  facts: FACTS,
  render: (options) => {
    if (options.minServers < 1) {
      throw new OptionsError(
        "minServers is 0, expected 1 or more: without a server there is no queue to scale by",
      );
    }
    return {
      files: {
        "emu3.yaml": yaml(
          "Emu3 on Kubernetes.",
          claim(options),
          deployment(options),
          service(options),
        ),
        "scaling.yaml": yaml(
          "Scales servers by their queue; requires KEDA and Prometheus.",
          scaledObject(options),
        ),
      },
      steps: [
        ...kubernetesSecretSteps(options.secrets),
        "kubectl apply -f emu3.yaml",
        `kubectl rollout status --timeout=${
          startSeconds(FACTS)
        }s deployment/${options.name}`,
        "kubectl apply -f scaling.yaml",
      ],
    };
  },
};

function labels({ name }: DeployOptions) {
  return {
    "app.kubernetes.io/name": "emu3",
    "app.kubernetes.io/instance": name,
  };
}

/**
 * Returns the names of the Service within the cluster; an ingress has its own.
 */
function hosts({ name }: DeployOptions) {
  return { ALLOWED_HOSTS: `${name},.svc,.svc.cluster.local` };
}

/** Returns true if the claim belongs to several servers. */
function shared({ maxServers }: DeployOptions): boolean {
  return maxServers > 1;
}

function claim(options: DeployOptions) {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: `${options.name}-cache`, labels: labels(options) },
    spec: {
      accessModes: [shared(options) ? "ReadWriteMany" : "ReadWriteOnce"],
      resources: { requests: { storage: `${options.cacheGib}Gi` } },
    },
  };
}

function deployment(options: DeployOptions) {
  const { name, image, secrets, storage } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels: labels(options) },
    spec: {
      // KEDA sets the number of replicas. A claim of one server allows only
      // one.
      ...shared(options) ? {} : { strategy: { type: "Recreate" } },
      selector: { matchLabels: labels(options) },
      progressDeadlineSeconds: startSeconds(FACTS) + 60,
      template: {
        metadata: {
          labels: labels(options),
          annotations: {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": String(PORT),
            "prometheus.io/path": "/metrics",
          },
        },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: FACTS.graceS,
          securityContext: { fsGroup: USER },
          containers: [{
            name: "emu3",
            image,
            ports: [{ name: "http", containerPort: PORT }],
            env: environmentList(
              {
                // Servers share models, and must not share their jobs.
                ...shared(options) ? { STORE: "/tmp/jobs.sqlite" } : {},
                ...environmentOf(options, FACTS, hosts(options)),
              },
              secrets,
              (variable) => variable,
            ),
            resources: { limits: limits(options) },
            ...probes(FACTS),
            lifecycle: { preStop: { sleep: { seconds: FACTS.beforeStopS } } },
            securityContext: CONFINED,
            volumeMounts: podMounts(storage),
          }],
          volumes: podVolumes(
            { persistentVolumeClaim: { claimName: `${name}-cache` } },
            storage,
          ),
        },
      },
    },
  };
}

function service(options: DeployOptions) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: options.name, labels: labels(options) },
    spec: {
      selector: labels(options),
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    },
  };
}

function scaledObject(options: DeployOptions) {
  const { name, concurrency } = options;
  const pods = `{pod=~"${name}-.*"}`;
  return {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name, labels: labels(options) },
    spec: {
      scaleTargetRef: { name },
      minReplicaCount: options.minServers,
      maxReplicaCount: options.maxServers,
      cooldownPeriod: 300,
      triggers: [{
        type: "prometheus",
        metadata: {
          serverAddress: PROMETHEUS,
          query:
            `sum(emu3_requests_running${pods}) + sum(emu3_queue_depth${pods})`,
          threshold: String(concurrency),
        },
      }, {
        type: "prometheus",
        metadata: {
          serverAddress: PROMETHEUS,
          query: `max(emu3_queue_age_seconds${pods})`,
          threshold: "10",
        },
        metricType: "Value",
      }],
    },
  };
}
