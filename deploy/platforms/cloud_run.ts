/**
 * The platform Google Cloud Run, with or without a GPU.
 *
 * SIGTERM comes 10 seconds before the end. A start may take 240 seconds, with a
 * GPU 1800. Written files count as memory, so models are read from a bucket
 * (`storage`), not cached. Requests end after an hour, their cold start
 * included. An L4 needs 4 processors and 16 GiB.
 *
 * @module
 */

import { type DeployOptions, OptionsError } from "./options.ts";
import {
  environmentList,
  environmentOf,
  type Facts,
  HEALTH,
  limits,
  MODELS,
  type Platform,
  PORT,
  probe,
  ROUTED_BY_HOST,
  startSeconds,
  withoutPort,
  yaml,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 10,
  beforeStopS: 0,
  startS: 240,
  maxRequestS: 3600,
  gpu: true,
};

const WITH_GPU: Facts = { ...FACTS, startS: 1800 };

/**
 * Settings for Google's front end, which appends the client's address to
 * X-Forwarded-For.
 */
const FRONT = { ...ROUTED_BY_HOST, TRUST_PROXY: "1" };

/** Minimum processors and memory beside an L4. */
const L4 = { cpus: 4, memoryGib: 16 } as const;

/** The platform Cloud Run. */
export const CLOUD_RUN: Platform = {
  name: "cloud-run",
  meaning: "Google Cloud Run, an NVIDIA L4 with --gpu",
  facts: FACTS,
  render: (options) => {
    const { gpu, cpus, memoryGib, name, secrets } = options;
    if (gpu && (cpus < L4.cpus || memoryGib < L4.memoryGib)) {
      throw new OptionsError(
        `an L4 needs --cpus ${L4.cpus} and --memory-gib ${L4.memoryGib} or more, found ${cpus} and ${memoryGib}`,
      );
    }
    const text = yaml("Emu3 on Cloud Run.", service(options));
    return {
      files: { "service.yaml": text },
      steps: [
        ...[...new Set(Object.values(secrets))].map((name) =>
          `gcloud secrets create ${name} --data-file=-`
        ),
        "gcloud run services replace service.yaml",
        `gcloud run services describe ${name}`,
      ],
    };
  },
};

function service(options: DeployOptions) {
  const { name, image, secrets, gpu, storage } = options;
  const facts = gpu ? WITH_GPU : FACTS;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/minScale": String(options.minServers),
            "autoscaling.knative.dev/maxScale": String(options.maxServers),
            "run.googleapis.com/cpu-throttling": "false",
            "run.googleapis.com/execution-environment": "gen2",
            "run.googleapis.com/startup-cpu-boost": "true",
            ...gpu
              ? { "run.googleapis.com/gpu-zonal-redundancy-disabled": "true" }
              : {},
          },
        },
        spec: {
          containerConcurrency: options.concurrency,
          timeoutSeconds: options.requestTimeoutS,
          ...gpu
            ? {
              nodeSelector: { "run.googleapis.com/accelerator": "nvidia-l4" },
            }
            : {},
          containers: [{
            image,
            ports: [{ name: "http1", containerPort: PORT }],
            env: environmentList(
              withoutPort(environmentOf(options, facts, FRONT)),
              secrets,
              () => "latest",
            ),
            resources: { limits: limits(options) },
            startupProbe: probe(HEALTH.ready, 10, startSeconds(facts) / 10),
            livenessProbe: probe(HEALTH.live, 10, 6),
            ...storage === undefined
              ? {}
              : { volumeMounts: [{ name: "models", mountPath: MODELS }] },
          }],
          ...storage === undefined ? {} : {
            volumes: [{
              name: "models",
              csi: {
                driver: "gcsfuse.run.googleapis.com",
                readOnly: true,
                volumeAttributes: { bucketName: storage },
              },
            }],
          },
        },
      },
    },
  };
}
