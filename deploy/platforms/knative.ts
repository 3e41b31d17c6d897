/**
 * The platform Knative Serving.
 *
 * Only /tmp is reliably writable. A revision fails unless it is ready before
 * its progress deadline. Its pods have `timeoutSeconds` to end, which the
 * server's grace stays below. Kubernetes' own rules for volumes hold: /cache is
 * an empty directory, gone with the pod; `storage` names a claim with models,
 * for which the cluster must allow
 * `kubernetes.podspec-persistent-volume-claim`.
 *
 * @module
 */

import type { DeployOptions } from "./options.ts";
import {
  CONFINED,
  environmentList,
  environmentOf,
  type Facts,
  HEALTH,
  kubernetesSecretSteps,
  limits,
  type Platform,
  podMounts,
  podVolumes,
  PORT,
  probe,
  ROUTED_BY_HOST,
  startSeconds,
  withoutPort,
  yaml,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 60,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: 600,
  gpu: true,
};

/** The platform Knative. */
export const KNATIVE: Platform = {
  name: "knative",
  meaning: "Knative Serving",
  facts: FACTS,
  render: (options) => ({
    files: {
      "service.yaml": yaml("Emu3 on Knative Serving.", service(options)),
    },
    steps: [
      ...kubernetesSecretSteps(options.secrets),
      "kubectl apply -f service.yaml",
      `kubectl wait --for=condition=Ready --timeout=${
        startSeconds(FACTS)
      }s ksvc/${options.name}`,
    ],
  }),
};

function service(options: DeployOptions) {
  const { name, image, secrets, storage, concurrency } = options;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name },
    spec: {
      template: {
        metadata: {
          annotations: {
            "serving.knative.dev/progress-deadline": `${startSeconds(FACTS)}s`,
            "autoscaling.knative.dev/min-scale": String(options.minServers),
            "autoscaling.knative.dev/max-scale": String(options.maxServers),
            "autoscaling.knative.dev/target": String(concurrency),
          },
        },
        spec: {
          containerConcurrency: concurrency,
          // Limits both a request and the end of a pod.
          timeoutSeconds: Math.max(options.requestTimeoutS, FACTS.graceS),
          containers: [{
            image,
            ports: [{ name: "http1", containerPort: PORT }],
            env: environmentList(
              withoutPort(environmentOf(options, FACTS, ROUTED_BY_HOST)),
              secrets,
              (variable) => variable,
            ),
            resources: { limits: limits(options) },
            readinessProbe: probe(HEALTH.ready, 5, 2),
            livenessProbe: probe(HEALTH.live, 10, 6),
            securityContext: CONFINED,
            volumeMounts: podMounts(storage),
          }],
          volumes: podVolumes(
            { emptyDir: { sizeLimit: `${options.cacheGib}Gi` } },
            storage,
          ),
        },
      },
    },
  };
}
