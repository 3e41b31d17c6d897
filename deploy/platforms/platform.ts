/**
 * The interface of a platform: a pure function from options to files, and the
 * facts that the files rest on.
 *
 * @module
 */

import { type DeployOptions, OptionsError } from "./options.ts";
import { stringify } from "yaml";

/** The guarantees of a platform for a container. */
export interface Facts {
  /** Seconds from the stop signal until the process is killed. */
  readonly graceS: number;
  /** Seconds of those before the server receives the signal. */
  readonly beforeStopS: number;
  /** Maximum seconds of a start; undefined for no limit. */
  readonly startS: number | undefined;
  /** Maximum seconds of a request; undefined for no limit. */
  readonly maxRequestS: number | undefined;
  /** True if it has GPUs. */
  readonly gpu: boolean;
}

/** The rendered files, and the steps to deploy them. */
export interface Rendering {
  /** Contents by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Commands, in order. */
  readonly steps: readonly string[];
}

/** A place to deploy to. */
export interface Platform {
  /** Name on the command line. */
  readonly name: string;
  /** Description for display. */
  readonly meaning: string;
  /** Guarantees of the platform. */
  readonly facts: Facts;
  /** Renders the files for checked options. */
  readonly render: (options: DeployOptions) => Rendering;
}

/** Port that the server listens on, on every platform. */
export const PORT = 8080;

/** User id of the image. */
export const USER = 65_532;

/** Folder in which the image keeps models and jobs. */
export const CACHE = "/cache";

/** Folder in which a platform puts a model that it fetched. */
export const MODELS = "/mnt/models";

/** Paths of the health checks. */
export const HEALTH = { live: "/livez", ready: "/readyz" } as const;

/** Seconds that last responses and the process need to end. */
const SPARE_S = 2;

/**
 * Setting that allows any host: for platforms whose router picks the server by
 * its host, so that foreign names never arrive.
 */
export const ROUTED_BY_HOST = { ALLOWED_HOSTS: "*" } as const;

/**
 * Returns values of variables for the server on a platform, without secrets.
 *
 * @param own Values of the platform; given settings take precedence.
 */
export function environmentOf(
  options: DeployOptions,
  { graceS, beforeStopS }: Facts,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    PORT: String(PORT),
    SHUTDOWN_GRACE_S: String(graceS - beforeStopS - SPARE_S),
    REQUEST_TIMEOUT_S: String(options.requestTimeoutS),
    ...options.storage === undefined ? {} : { MODEL: MODELS },
    ...own,
    ...options.settings,
  };
}

/** Returns the maximum seconds until a server is ready. */
export function startSeconds({ startS }: Facts): number {
  return startS ?? 1800;
}

/** A probe of Kubernetes and related platforms. */
export interface Probe {
  /** Target of the probe. */
  readonly httpGet: { readonly path: string; readonly port: number };
  /** Seconds between two probes. */
  readonly periodSeconds: number;
  /** Seconds until a probe times out. */
  readonly timeoutSeconds: number;
  /** Failures after which the platform acts. */
  readonly failureThreshold: number;
}

/** Returns a probe over HTTP. */
export function probe(
  path: string,
  periodSeconds: number,
  failureThreshold: number,
): Probe {
  return {
    httpGet: { path, port: PORT },
    periodSeconds,
    timeoutSeconds: 5,
    failureThreshold,
  };
}

/** Returns the probes for a server's start and for later. */
export function probes(facts: Facts): Readonly<
  Record<"startupProbe" | "readinessProbe" | "livenessProbe", Probe>
> {
  const period = 10;
  return {
    startupProbe: probe(HEALTH.ready, period, startSeconds(facts) / period),
    readinessProbe: probe(HEALTH.ready, 5, 2),
    livenessProbe: probe(HEALTH.live, period, 6),
  };
}

/** Returns variables in the list form of Kubernetes and related platforms. */
export function environmentList(
  values: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
  key: (variable: string) => string,
): object[] {
  return [
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
    ...Object.entries(secrets).map(([variable, name]) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name, key: key(variable) } },
    })),
  ];
}

/** Security context under Kubernetes with the least privileges. */
export const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
} as const;

/** Returns the limits, with a GPU if one is requested. */
export function limits(
  options: Pick<DeployOptions, "cpus" | "memoryGib" | "gpu">,
): Record<string, string> {
  return {
    cpu: String(options.cpus),
    memory: `${options.memoryGib}Gi`,
    ...options.gpu ? { "nvidia.com/gpu": "1" } : {},
  };
}

/** Pattern of a name in Kubernetes. */
const KUBERNETES_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/**
 * Returns the commands that create the Kubernetes secrets in `secrets`.
 *
 * @throws {OptionsError} When a name is invalid in Kubernetes.
 */
export function kubernetesSecretSteps(
  secrets: Readonly<Record<string, string>>,
): string[] {
  return [...new Set(Object.values(secrets))].map((name) => {
    if (!KUBERNETES_NAME.test(name)) {
      throw new OptionsError(
        `"${name}" is not a valid name of a Kubernetes secret, expected a-z, 0-9, - and .`,
      );
    }
    const keys = Object.entries(secrets)
      .filter(([, reference]) => reference === name)
      .map(([variable]) => `--from-literal=${variable}="$${variable}"`);
    return `kubectl create secret generic ${name} ${keys.join(" ")}`;
  });
}

/**
 * Returns the commands that set the variables in `secrets`.
 *
 * @throws {OptionsError} When one is not a valid name of a variable.
 */
export function exportSteps(
  secrets: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(secrets).map(([secret, variable]) => {
    if (/^[A-Za-z_]\w*$/.test(variable)) return `export ${variable}=…`;
    throw new OptionsError(
      `${secret} comes from a variable of the shell here, and "${variable}" is not a valid name of one`,
    );
  });
}

/**
 * Returns `values` without PORT, for platforms that set it themselves and
 * accept no other value.
 */
export function withoutPort(
  { PORT: _, ...rest }: Readonly<Record<string, string>>,
): Record<string, string> {
  return rest;
}

/** Returns the documents of a file, after a comment line. */
export function yaml(comment: string, ...documents: unknown[]): string {
  const texts = documents.map((document) =>
    stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
  );
  return `# ${comment}\n${texts.join("---\n")}`;
}

/** Returns the mounts of a pod: cache, temporary files, and a claim of models. */
export function podMounts(storage: string | undefined): readonly unknown[] {
  return [
    { name: "cache", mountPath: CACHE },
    { name: "tmp", mountPath: "/tmp" },
    ...storage === undefined
      ? []
      : [{ name: "models", mountPath: MODELS, readOnly: true }],
  ];
}

/** Returns the volumes of {@linkcode podMounts}, with `cache` as the first's. */
export function podVolumes(
  cache: Readonly<Record<string, unknown>>,
  storage: string | undefined,
): readonly unknown[] {
  return [
    { name: "cache", ...cache },
    { name: "tmp", emptyDir: {} },
    ...storage === undefined ? [] : [{
      name: "models",
      persistentVolumeClaim: { claimName: storage, readOnly: true },
    }],
  ];
}
