/**
 * The platform KServe, as a custom predictor of the Open Inference Protocol.
 *
 * The model that `storage` names (`gs://`, `s3://`, `hf://`, `pvc://`) is
 * fetched before the server starts and lies in /mnt/models. Without Knative
 * beneath, pods end as in Kubernetes.
 *
 * @module
 */

import type { DeployOptions } from "./options.ts";
import {
  CACHE,
  CONFINED,
  environmentList,
  environmentOf,
  type Facts,
  kubernetesSecretSteps,
  limits,
  type Platform,
  PORT,
  probes,
  ROUTED_BY_HOST,
  startSeconds,
  USER,
  yaml,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 60,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: undefined,
  gpu: true,
};

/** The platform KServe. */
export const KSERVE: Platform = {
  name: "kserve",
  meaning: "KServe, in its standard (raw) deployment",
  facts: FACTS,
  render: (options) => ({
    files: {
      "inference-service.yaml": yaml("Emu3 on KServe.", service(options)),
    },
    steps: [
      ...kubernetesSecretSteps(options.secrets),
      "kubectl apply -f inference-service.yaml",
      `kubectl wait --for=condition=Ready --timeout=${
        startSeconds(FACTS)
      }s inferenceservice/${options.name}`,
    ],
  }),
};

function service(options: DeployOptions) {
  const { name, image, secrets, storage } = options;
  const environment = environmentOf(options, FACTS, ROUTED_BY_HOST);
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: {
      name,
      annotations: { "serving.kserve.io/deploymentMode": "RawDeployment" },
    },
    spec: {
      predictor: {
        minReplicas: options.minServers,
        maxReplicas: options.maxServers,
        scaleMetric: "cpu",
        timeout: options.requestTimeoutS,
        terminationGracePeriodSeconds: FACTS.graceS,
        securityContext: { fsGroup: USER },
        containers: [{
          name: "kserve-container",
          image,
          ports: [{ name: "http1", containerPort: PORT, protocol: "TCP" }],
          env: [
            { name: "PROTOCOL", value: "v2" },
            ...storage === undefined
              ? []
              : [{ name: "STORAGE_URI", value: storage }],
            ...environmentList(environment, secrets, (variable) => variable),
          ],
          resources: { limits: limits(options) },
          ...probes(FACTS),
          securityContext: CONFINED,
          volumeMounts: [
            { name: "cache", mountPath: CACHE },
            { name: "tmp", mountPath: "/tmp" },
          ],
        }],
        volumes: [
          { name: "cache", emptyDir: { sizeLimit: `${options.cacheGib}Gi` } },
          { name: "tmp", emptyDir: {} },
        ],
      },
    },
  };
}
