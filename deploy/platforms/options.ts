/**
 * The options of a deployment: an image, its settings and its resources.
 *
 * Settings are the server's own variables, parsed by the parsers that the
 * server passes in: settings that it would refuse at its start are refused
 * here. Secrets are referred to by name.
 *
 * @module
 */

/** Variables that must not be written to files: they come by reference. */
export const SECRETS = [
  "API_KEYS",
  "WEBHOOK_SECRET",
  "WORKFLOWS_TOKEN",
  "HF_TOKEN",
] as const;

/**
 * Variables that platforms set themselves; other values would break the
 * contract.
 */
const OURS = ["PORT", "AIP_HTTP_PORT", "PORT_HEALTH", "HOST"] as const;

/** The server's variables: by name, the parser that refuses wrong values. */
export type SettingParsers = Readonly<
  Record<string, { readonly parse: (text: string) => unknown }>
>;

/** The options of a server, for any platform. */
export interface DeployOptions {
  /** Reference of the image. */
  readonly image: string;
  /** Name of the service on the platform. */
  readonly name: string;
  /** Values of variables. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names in the platform's store of secrets, by variable. */
  readonly secrets: Readonly<Record<string, string>>;
  /** True for a server with a GPU. */
  readonly gpu: boolean;
  /** Processors that it may use. */
  readonly cpus: number;
  /** Memory that it may use, in GiB. */
  readonly memoryGib: number;
  /** Storage for models and jobs, in GiB. */
  readonly cacheGib: number;
  /** Minimum number of servers. */
  readonly minServers: number;
  /** Maximum number of servers. */
  readonly maxServers: number;
  /** Requests that one server takes at once. */
  readonly concurrency: number;
  /** Seconds that a request may take, including its wait and a cold start. */
  readonly requestTimeoutS: number;
  /** Storage that the platform mounts or fetches. */
  readonly storage: string | undefined;
}

/** The error thrown for options that cannot be deployed. */
export class OptionsError extends Error {
  /** Creates an error with the option and the advice. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot deploy: ${reason}`, options);
    this.name = "OptionsError";
  }
}

const IMAGE =
  /^[a-z0-9][a-z0-9._:-]*(\/[a-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;

/** Pattern of a name: the rules of Kubernetes labels, the strictest. */
const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** Pattern of a secret's name, or of a variable's where those are the store. */
const REFERENCE = /^[A-Za-z][\w.-]{0,127}$/;

const NUMBERS = [
  ["cpus", 0.25, 512],
  ["memoryGib", 1, 4096],
  ["cacheGib", 1, 65_536],
  ["minServers", 0, 1000],
  ["maxServers", 1, 1000],
  ["concurrency", 1, 1000],
  ["requestTimeoutS", 1, 86_400],
] as const;

/**
 * Checks `options`.
 *
 * @param parsers Variables that settings may set.
 * @throws {OptionsError} Naming the first invalid option.
 */
export function checkOptions(
  options: DeployOptions,
  parsers: SettingParsers,
): DeployOptions {
  const { image, name, minServers, maxServers } = options;
  checkImage(image);
  checkName(name);
  for (const [field, least, most] of NUMBERS) {
    const value = options[field];
    const whole = field === "cpus" || Number.isInteger(value);
    if (whole && value >= least && value <= most) continue;
    throw new OptionsError(
      `${field} is ${value}, expected ${least} to ${most}`,
    );
  }
  if (minServers > maxServers) {
    throw new OptionsError(
      `minServers is ${minServers}, expected at most maxServers, ${maxServers}`,
    );
  }
  for (const [name, value] of Object.entries(options.settings)) {
    checkSetting(name, value, parsers);
  }
  Object.entries(options.secrets).forEach(checkSecret);
  if (options.storage !== undefined && options.settings["MODEL"]) {
    throw new OptionsError("storage and MODEL both name a model; set only one");
  }
  return options;
}

/**
 * Checks the reference of an image.
 *
 * @throws {OptionsError} When it is invalid.
 */
export function checkImage(image: string): void {
  if (!IMAGE.test(image)) {
    throw new OptionsError(
      `"${image}" is not the reference of an image, such as registry.example.org/emu3:1`,
    );
  }
}

/**
 * Checks the name of a service or job.
 *
 * @throws {OptionsError} When it is invalid.
 */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new OptionsError(
      `"${name}" is not a valid name, expected up to 40 characters of a-z, 0-9 and -`,
    );
  }
}

function checkSetting(
  name: string,
  value: string,
  parsers: SettingParsers,
): void {
  if (!Object.hasOwn(parsers, name)) {
    throw new OptionsError(
      `there is no variable ${name}; see deno task start --help`,
    );
  }
  if (SECRETS.some((secret) => secret === name)) {
    throw new OptionsError(
      `${name} is a secret; use --secret ${name}=<name in the store of secrets>`,
    );
  }
  if (OURS.some((own) => own === name) || name === "SHUTDOWN_GRACE_S") {
    throw new OptionsError(`${name} is set by the platform; remove it`);
  }
  try {
    parsers[name]!.parse(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OptionsError(`${name} cannot be "${value}": ${reason}`, {
      cause,
    });
  }
}

function checkSecret([name, reference]: [string, string]): void {
  if (!SECRETS.some((secret) => secret === name)) {
    throw new OptionsError(
      `${name} is not a secret, expected ${SECRETS.join(", ")}`,
    );
  }
  // The reference may be the secret itself, by mistake: it is not repeated.
  if (REFERENCE.test(reference) && !reference.startsWith("whsec_")) return;
  throw new OptionsError(
    `the reference of ${name} is not a name; use the name of the secret, not its value`,
  );
}
