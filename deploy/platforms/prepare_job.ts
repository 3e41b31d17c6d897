/**
 * The preparation of data as an indexed Job of Kubernetes: a pod a part.
 *
 * Parts write into folders of their own on a claim that all share, and go on
 * where they were after a pod is gone. Only a wrong command line ends the whole
 * job: repeating it would be of no use.
 *
 * @module
 */

import {
  CACHE,
  CONFINED,
  environmentList,
  kubernetesSecretSteps,
  limits,
  MODELS,
  podMounts,
  podVolumes,
  type Rendering,
  USER,
  yaml,
} from "./platform.ts";
import { checkImage, checkName } from "./options.ts";

/** The options of a job. */
export interface PrepareJobOptions {
  /** Reference of the image. */
  readonly image: string;
  /** Name of the job. */
  readonly name: string;
  /** Claim of the input and the set. */
  readonly claim: string;
  /** Number of parts. */
  readonly parts: number;
  /** Parts at once. */
  readonly parallel: number;
  /** Path of the input. */
  readonly input: string;
  /** Path of the set. */
  readonly set: string;
  /** Claim of the model; undefined for the embedded or a named one. */
  readonly storage: string | undefined;
  /** Names of secrets by variable. */
  readonly secrets: Readonly<Record<string, string>>;
  /** True for a GPU per part. */
  readonly gpu: boolean;
  /** Processors per part. */
  readonly cpus: number;
  /** Memory per part, in GiB. */
  readonly memoryGib: number;
  /** Further words of `task prepare-data`. */
  readonly words: readonly string[];
}

/** Folder of the claim in a pod. */
const DATA = "/data";

/** Attempts of each part after its first. */
const RETRIES = 5;

/** Exit code of a wrong command line. */
const MISUSED = 2;

/** Annotation with the index of a pod. */
const INDEX =
  "metadata.annotations['batch.kubernetes.io/job-completion-index']";

/** The program, with the permissions that it needs. */
const PROGRAM = [
  "deno",
  "run",
  "--quiet",
  "--v8-flags=--max-old-space-size=1024",
  ...["--no-prompt", "--cached-only", "--no-lock"],
  "--node-modules-dir=manual",
  ...["--allow-read", `--allow-write=${DATA},${CACHE},/tmp`, "--allow-env"],
  ...["--allow-sys", "--allow-ffi", "--allow-net"],
  "deploy/prepare/main.ts",
] as const;

/**
 * Renders the job.
 *
 * @throws {OptionsError} When the image or a name is invalid.
 */
export function renderPrepareJob(options: PrepareJobOptions): Rendering {
  checkImage(options.image);
  checkName(options.name);
  return {
    files: {
      "prepare.yaml": yaml("Prepares data for tuning, in parts.", job(options)),
    },
    steps: [
      ...kubernetesSecretSteps(options.secrets),
      "kubectl apply -f prepare.yaml",
      `kubectl wait --for=condition=complete --timeout=-1s job/${options.name}`,
    ],
  };
}

function job(options: PrepareJobOptions) {
  const { name, parts, parallel } = options;
  const labels = {
    "app.kubernetes.io/name": "emu3-prepare",
    "app.kubernetes.io/instance": name,
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels },
    spec: {
      completionMode: "Indexed",
      completions: parts,
      parallelism: Math.min(parallel, parts),
      backoffLimitPerIndex: RETRIES,
      podFailurePolicy: {
        rules: [{
          action: "FailJob",
          onExitCodes: {
            containerName: "prepare",
            operator: "In",
            values: [MISUSED],
          },
        }],
      },
      template: { metadata: { labels }, spec: pod(options) },
    },
  };
}

function pod(options: PrepareJobOptions) {
  const { image, claim, parts, input, set, storage, secrets, words } = options;
  const model = storage === undefined ? [] : ["--model", MODELS];
  return {
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    securityContext: { fsGroup: USER },
    containers: [{
      name: "prepare",
      image,
      command: PROGRAM,
      args: [
        ...[input, "--out", set, "--shard", `$(PART)/${parts}`],
        ...model,
        ...words,
      ],
      env: [
        { name: "PART", valueFrom: { fieldRef: { fieldPath: INDEX } } },
        ...environmentList({}, secrets, (variable) => variable),
      ],
      resources: { limits: limits(options) },
      securityContext: CONFINED,
      volumeMounts: [
        { name: "data", mountPath: DATA },
        ...podMounts(storage),
      ],
    }],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: claim } },
      ...podVolumes({ emptyDir: {} }, storage),
    ],
  };
}
