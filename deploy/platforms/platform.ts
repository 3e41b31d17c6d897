/**
 * What a platform is here: a pure function from options to files, and the facts
 * that the files rest on.
 *
 * @module
 */

import { type DeployOptions, OptionsError } from "./options.ts";

/** What a platform promises a container. */
export interface Facts {
  /** Seconds from the signal to stop until the process is killed. */
  readonly graceS: number;
  /** Of those, seconds that pass before the server is told. */
  readonly beforeStopS: number;
  /** Seconds that a start may take, at most; undefined for as many as wanted. */
  readonly startS: number | undefined;
  /** Seconds that a request may take, at most; undefined for any. */
  readonly maxRequestS: number | undefined;
  /** Whether it has GPUs. */
  readonly gpu: boolean;
}

/** What is written, and what is to be done with it. */
export interface Rendering {
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Commands, in order. */
  readonly steps: readonly string[];
}

/** A place to deploy to. */
export interface Platform {
  /** As the command line has it. */
  readonly name: string;
  /** For people. */
  readonly meaning: string;
  /** What it promises. */
  readonly facts: Facts;
  /** Its files, of options that were checked. */
  readonly render: (options: DeployOptions) => Rendering;
}

/** Where the server listens, everywhere. */
export const PORT = 8080;

/** The user of the image. */
export const USER = 65_532;

/** Where the image keeps models and jobs. */
export const CACHE = "/cache";

/** Where a platform puts a model that it fetched. */
export const MODELS = "/mnt/models";

/** Paths that tell of health. */
export const HEALTH = { live: "/livez", ready: "/readyz" } as const;

/** Time that last answers and the process need to end, in seconds. */
const SPARE_S = 2;

/**
 * Any host: for platforms whose router picks the server by its host, so that a
 * stranger's name never arrives.
 */
export const ROUTED_BY_HOST = { ALLOWED_HOSTS: "*" } as const;

/**
 * Returns values of variables for the server on a platform, without secrets.
 *
 * @param own Of the platform; settings that were given go first.
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

/** How long a server may take to get ready, in seconds. */
export function startSeconds({ startS }: Facts): number {
  return startS ?? 1800;
}

/** A probe of Kubernetes and its kin. */
export interface Probe {
  /** What is asked. */
  readonly httpGet: { readonly path: string; readonly port: number };
  /** Between two of them. */
  readonly periodSeconds: number;
  /** For an answer. */
  readonly timeoutSeconds: number;
  /** How many fail before something happens. */
  readonly failureThreshold: number;
}

/** A probe over HTTP. */
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

/** Probes while a server starts, and after. */
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

/** Variables as Kubernetes and its kin list them. */
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

/** What a container may do under Kubernetes: nothing but serve. */
export const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
} as const;

/** Limits, with a GPU where one is asked for. */
export function limits(options: DeployOptions): Record<string, string> {
  return {
    cpu: String(options.cpus),
    memory: `${options.memoryGib}Gi`,
    ...options.gpu ? { "nvidia.com/gpu": "1" } : {},
  };
}

/** A name that Kubernetes takes. */
const KUBERNETES_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/**
 * Commands that make the secrets of Kubernetes which `secrets` names.
 *
 * @throws {OptionsError} When Kubernetes takes no such name.
 */
export function kubernetesSecretSteps(
  secrets: Readonly<Record<string, string>>,
): string[] {
  return [...new Set(Object.values(secrets))].map((name) => {
    if (!KUBERNETES_NAME.test(name)) {
      throw new OptionsError(
        `a secret of Kubernetes cannot be called "${name}", expected a-z, 0-9, - and .`,
      );
    }
    const keys = Object.entries(secrets)
      .filter(([, reference]) => reference === name)
      .map(([variable]) => `--from-literal=${variable}="$${variable}"`);
    return `kubectl create secret generic ${name} ${keys.join(" ")}`;
  });
}

/**
 * Commands that set the variables which `secrets` names.
 *
 * @throws {OptionsError} When one cannot be the name of a variable.
 */
export function exportSteps(
  secrets: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(secrets).map(([secret, variable]) => {
    if (/^[A-Za-z_]\w*$/.test(variable)) return `export ${variable}=…`;
    throw new OptionsError(
      `${secret} comes from a variable of the shell here, and "${variable}" cannot be one`,
    );
  });
}

/**
 * `values` without PORT, for platforms that say it themselves and take nobody
 * else's word for it.
 */
export function withoutPort(
  { PORT: _, ...rest }: Readonly<Record<string, string>>,
): Record<string, string> {
  return rest;
}
