/**
 * The parsed environment of a server, and the only module that reads it.
 *
 * @module
 */

import { join } from "node:path";
import {
  containerAllowance,
  threadsWithin,
} from "../lib/runtime/memory/cgroup_limits.ts";
import type { LogFormat } from "./middleware/log_sink.ts";
import { runpodPlace } from "./runpod/variables.ts";
import { VERSION } from "../lib/version.ts";
import { defaultMaxPixels } from "./inference/pixel_budget.ts";
import type { Variable } from "./config/variable_parsers.ts";
import {
  EMBEDDED_CLIP_MODEL,
  EMBEDDED_MODEL,
  VARIABLE_GROUPS,
  VARIABLES,
} from "./variables.ts";

/** The parsed values of all variables. */
type Values = {
  readonly [K in keyof typeof VARIABLES]: ReturnType<
    typeof VARIABLES[K]["parse"]
  >;
};

/** The configuration of a server. */
export interface Environment {
  /** Sources of checkpoints. */
  readonly folders: {
    /** Source of the model that draws. */
    readonly gen: string;
    /** Source of the model that answers. */
    readonly chat: string;
    /** Source of the model for clips; undefined for the one that draws. */
    readonly clips?: string | undefined;
    /** Vision tokenizer for both; undefined for each model's own. */
    readonly vision: string | undefined;
  };
  /** Aliases of models. */
  readonly aliases: Values["MODEL_ALIASES"];
  /** Folders of adapters by name. */
  readonly adapters: Values["ADAPTERS"];
  /** Functions that are served. */
  readonly functions: Values["FUNCTIONS"];
  /** Address to listen on; port 0 for any free port. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** Port of a separate health server. */
  readonly healthPort: number | undefined;
  /** Device that models run on. */
  readonly device: Values["DEVICE"];
  /** Bytes of the device's memory to use; undefined for all that is free. */
  readonly deviceMemoryBytes: number | undefined;
  /** The preferred kernel of attention on CUDA. */
  readonly cudaAttention: Values["CUDA_ATTENTION"];
  /** Folder of another ONNX Runtime. */
  readonly runtimeFolder: string | undefined;
  /** Format of the language models' weights; undefined for the stored one. */
  readonly precision: Values["PRECISION"];
  /** Folder for copies of models; undefined without a home folder. */
  readonly copyFolder: string | undefined;
  /** Threads that compute. */
  readonly threads: number;
  /** Sequences that are decoded together. */
  readonly slots: number;
  /** Limit of the requests that wait. */
  readonly queueLimit: number;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Bytes of the KV caches; undefined for a quarter of the memory. */
  readonly cacheBytes: number | undefined;
  /** Type of keys and values; undefined for a type that suits the memory. */
  readonly cacheDtype: Values["KV_PRECISION"];
  /** Bytes of pixels in all requests; undefined for an eighth of the memory. */
  readonly pixelBytes: number | undefined;
  /** Threads that decode and encode pictures. */
  readonly codecThreads: number;
  /** Strategy that pictures are drawn with; undefined for the fastest. */
  readonly strategy: Values["STRATEGY"];
  /** API keys of callers; if there are none, anyone may call. */
  readonly apiKeys: Values["API_KEYS"];
  /** Rate limit of a caller. */
  readonly rateLimit: Values["RATE_LIMIT"];
  /** True if pictures are fetched by URL. */
  readonly urlInputs: boolean;
  /** Public URL of the server; undefined for that of each request. */
  readonly publicUrl: string | undefined;
  /** Number of trusted proxies in front. */
  readonly trustedProxies: number;
  /** Header of theirs that is trusted. */
  readonly trustedHeader: string;
  /** Hosts that requests may name if no keys are set. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may call the server. */
  readonly corsOrigins: readonly string[];
  /** Limits that are the same for all requests. */
  readonly limits: {
    /** Largest body, in bytes. */
    readonly maxBodyBytes: number;
    /** Most pixels of a picture, or of all frames of an animation. */
    readonly maxPixels: number;
    /** Most frames of a clip or an animation. */
    readonly maxFrames: number;
    /** Bytes of memory that the process may use. */
    readonly memoryBytes: number;
  };
  /** Maximum bytes of request bodies that one caller may have in flight. */
  readonly bodyBytes: number;
  /** Maximum bytes of unread answers of one address. */
  readonly unreadBytes: number;
  /** Maximum open connections of one address. */
  readonly maxConnections: number;
  /** Timeout of a request, in milliseconds. */
  readonly requestTimeoutMs: number | undefined;
  /** Time that running requests have during a shutdown. */
  readonly shutdownGraceMs: number;
  /** Minimum time of listening during a shutdown. */
  readonly shutdownDelayMs: number;
  /** Store of jobs and first answers. */
  readonly store: {
    /** Path of its file; undefined without a home folder and a named file. */
    readonly path: string | undefined;
    /** True if the file was set explicitly, and must be usable. */
    readonly named: boolean;
    /** Largest size of the store, in bytes. */
    readonly maxBytes: number;
    /** Retention of ended jobs, in milliseconds. */
    readonly ttlMs: number;
  };
  /** Secret that signs webhooks; undefined for no webhooks. */
  readonly webhookSecret: string | undefined;
  /** Engine of workflows; undefined for none. */
  readonly workflows: {
    /** URL of its ingress. */
    readonly url: string;
    /** Bearer token of its ingress; undefined for none. */
    readonly token: string | undefined;
  } | undefined;
  /** Format of log lines. */
  readonly log: LogFormat;
  /** Queue that jobs are taken from; undefined for none. */
  readonly runpod: ReturnType<typeof runpodPlace>;
}

/** The properties of a machine. */
export interface Machine {
  /** Threads that may compute at once without CPU throttling. */
  readonly cpus: number;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** True if the log is a terminal; false by default. */
  readonly terminal?: boolean;
}

/** The error of an invalid variable. */
export class EnvironmentError extends Error {
  /** Creates the error from the variable and the reason. */
  constructor(
    /** Name of the variable. */
    readonly variable: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use ${variable}: ${reason}`, options);
    this.name = "EnvironmentError";
  }
}

/** Returns the machine's properties within the limits of its container. */
export function thisMachine(): Machine {
  const allowance = containerAllowance();
  const { total } = Deno.systemMemoryInfo();
  return {
    cpus: threadsWithin(navigator.hardwareConcurrency, allowance),
    memoryBytes: Math.min(total, allowance.memoryBytes ?? Infinity),
    terminal: Deno.stdout.isTerminal(),
  };
}

/**
 * Parses the variables that `get` reads; an empty one counts as unset.
 *
 * @throws {EnvironmentError} Naming the invalid variable.
 */
export function readEnvironment(
  machine: Machine,
  get: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Environment {
  const values = readValues(get);
  const model = values.MODEL ?? EMBEDDED_MODEL;
  const gen = values.GEN_MODEL ?? model;
  const cache = cacheFolder(get);
  return {
    folders: {
      gen,
      chat: values.CHAT_MODEL ?? model,
      clips: values.CLIP_MODEL ??
        (gen === EMBEDDED_MODEL ? EMBEDDED_CLIP_MODEL : undefined),
      vision: values.VISION_MODEL,
    },
    aliases: values.MODEL_ALIASES,
    adapters: values.ADAPTERS,
    functions: values.FUNCTIONS,
    listen: {
      hostname: values.HOST,
      port: values.PORT ?? values.AIP_HTTP_PORT ?? DEFAULT_PORT,
    },
    healthPort: values.PORT_HEALTH,
    device: values.DEVICE,
    deviceMemoryBytes: values.GPU_MEMORY_BYTES,
    cudaAttention: values.CUDA_ATTENTION,
    runtimeFolder: values.ONNXRUNTIME_DIR,
    precision: values.PRECISION,
    copyFolder: cache,
    threads: values.THREADS ?? machine.cpus,
    slots: values.SLOTS,
    queueLimit: values.QUEUE_LIMIT,
    memoryBytes: machine.memoryBytes,
    cacheBytes: values.KV_BYTES,
    cacheDtype: values.KV_PRECISION,
    pixelBytes: values.PIXEL_BYTES,
    codecThreads: values.CODEC_THREADS ??
      Math.min(Math.max(machine.cpus, 2), MAX_CODEC_THREADS),
    strategy: values.STRATEGY,
    apiKeys: values.API_KEYS,
    rateLimit: values.RATE_LIMIT,
    urlInputs: values.ALLOW_URL_INPUTS,
    publicUrl: values.PUBLIC_URL,
    trustedProxies: values.TRUST_PROXY,
    trustedHeader: values.TRUST_PROXY_HEADER,
    allowedHosts: values.ALLOWED_HOSTS,
    corsOrigins: values.CORS_ORIGINS,
    limits: {
      maxBodyBytes: values.MAX_BODY_BYTES,
      maxPixels: values.MAX_PIXELS ?? defaultMaxPixels(machine.memoryBytes),
      maxFrames: values.MAX_FRAMES,
      memoryBytes: machine.memoryBytes,
    },
    bodyBytes: values.BODY_BYTES ?? BODIES * values.MAX_BODY_BYTES,
    unreadBytes: values.UNREAD_BYTES,
    maxConnections: values.MAX_CONNECTIONS,
    requestTimeoutMs: values.REQUEST_TIMEOUT_S &&
      1000 * values.REQUEST_TIMEOUT_S,
    shutdownGraceMs: 1000 * values.SHUTDOWN_GRACE_S,
    shutdownDelayMs: 1000 * values.SHUTDOWN_DELAY_S,
    store: {
      path: values.STORE ?? (cache && join(cache, "jobs.sqlite")),
      named: values.STORE !== undefined,
      maxBytes: values.STORE_BYTES,
      ttlMs: 1000 * values.JOB_TTL_S,
    },
    webhookSecret: values.WEBHOOK_SECRET,
    workflows: values.WORKFLOWS_URL === undefined ? undefined : {
      url: values.WORKFLOWS_URL,
      token: values.WORKFLOWS_TOKEN,
    },
    log: values.LOG ?? (machine.terminal ? "pretty" : "json"),
    runpod: attempt("RUNPOD_WEBHOOK_POST_OUTPUT", () => runpodPlace(values)),
  };
}

/** Returns the text of `--help`. */
export function helpText(): string {
  const groups = Object.keys(VARIABLE_GROUPS).map((title) =>
    `${title}:\n${groupText(title).replaceAll(/^/gm, "  ")}\n`
  );
  return `emu3 ${VERSION}: Emu3 as HTTP functions

Usage: deno task start [--help] [--version] [--<option> <value>]…

Every environment variable except secrets is also an option: --port 9000 sets
PORT=9000.

${groups.join("\n")}`;
}

/** Returns the variables of a group in `--help`, with their defaults. */
export function groupText(title: string): string {
  const width = Math.max(...Object.keys(VARIABLES).map((name) => name.length));
  return Object.entries(VARIABLE_GROUPS[title] ?? {})
    .flatMap(([name, { meaning, fallback }]) => [
      `${name.padEnd(width)}  ${meaning}`,
      `${"".padEnd(width)}  default: ${fallback}`,
    ]).join("\n");
}

const DEFAULT_PORT = 8080;

/** Default threads of the codec: pictures cost little beside the models. */
const MAX_CODEC_THREADS = 4;

/**
 * Default limit of one caller's bodies in flight, in bodies of the maximum
 * size.
 */
const BODIES = 4;

/** Returns the folder of files that programs can recreate. */
function cacheFolder(
  get: (name: string) => string | undefined,
): string | undefined {
  const home = get("HOME") ?? get("USERPROFILE");
  const cache = get("XDG_CACHE_HOME") ?? (home && join(home, ".cache"));
  return cache && join(cache, "emu3");
}

function readValues(get: (name: string) => string | undefined): Values {
  const entries = Object.entries<Variable<unknown>>(VARIABLES)
    .map(([name, variable]) => {
      const text = get(name)?.trim() || undefined;
      return [name, attempt(name, () => variable.parse(text))];
    });
  // Each entry comes from the parser of its own variable.
  return Object.fromEntries(entries) as Values;
}

/** @param name Name of the variable to report if `read` fails. */
function attempt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new EnvironmentError(name, cause.message, { cause });
  }
}
