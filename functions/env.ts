/**
 * The environment, read and checked: the one place that looks at it.
 *
 * @module
 */

import { join } from "node:path";
import {
  containerAllowance,
  threadsWithin,
} from "../lib/runtime/memory/cgroup_limits.ts";
import type { LogFormat } from "./middleware/log_sink.ts";
import { type RunpodPlace, runpodPlace } from "./runpod/variables.ts";
import { VERSION } from "./http/version.ts";
import { defaultMaxPixels } from "./inference/pixel_budget.ts";
import { maxRunPixels } from "./inference/image_limit.ts";
import type { Variable } from "./config/variable_parsers.ts";
import { EMBEDDED_MODEL, VARIABLES } from "./variables.ts";

/** Values of all variables, as they were parsed. */
type Values = {
  readonly [K in keyof typeof VARIABLES]: ReturnType<
    typeof VARIABLES[K]["parse"]
  >;
};

/** What a server is told from outside. */
export interface Environment {
  /** Folders of checkpoints. */
  readonly folders: {
    /** Draws. */
    readonly gen: string;
    /** Answers. */
    readonly chat: string;
    /** For both; undefined for the one that belongs to each. */
    readonly vision: string | undefined;
  };
  /** Other names of models. */
  readonly aliases: Values["MODEL_ALIASES"];
  /** What is served. */
  readonly functions: Values["FUNCTIONS"];
  /** Where to listen; port 0 means any free one. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** Port for health alone. */
  readonly healthPort: number | undefined;
  /** Where models run. */
  readonly device: Values["DEVICE"];
  /** Bytes of a device's memory to use; undefined for what is free. */
  readonly deviceMemoryBytes: number | undefined;
  /** Folder of another ONNX Runtime. */
  readonly runtimeFolder: string | undefined;
  /** Format of the language models' weights; undefined for as they are. */
  readonly precision: Values["PRECISION"];
  /** Folder for copies of models; undefined where there is no home. */
  readonly copyFolder: string | undefined;
  /** Threads that compute. */
  readonly threads: number;
  /** Sequences decoded together. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** That the process may have. */
  readonly memoryBytes: number;
  /** For keys and values; undefined for a quarter of the memory. */
  readonly cacheBytes: number | undefined;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype: Values["KV_PRECISION"];
  /** Bytes of pixels that all requests hold; undefined for an eighth of the memory. */
  readonly pixelBytes: number | undefined;
  /** Threads that decode and encode pictures. */
  readonly codecThreads: number;
  /** In which way pictures are drawn; undefined for what is fastest. */
  readonly strategy: Values["STRATEGY"];
  /** Of callers; without any, everybody may call. */
  readonly apiKeys: Values["API_KEYS"];
  /** How often a caller may ask. */
  readonly rateLimit: Values["RATE_LIMIT"];
  /** Whether pictures are fetched by their URL. */
  readonly urlInputs: boolean;
  /** Where clients find the server; undefined for as they asked. */
  readonly publicUrl: string | undefined;
  /** Proxies in front that are believed. */
  readonly trustedProxies: number;
  /** The one header of theirs that is believed. */
  readonly trustedHeader: string;
  /** Hosts that requests may name while no keys are set. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may call. */
  readonly corsOrigins: readonly string[];
  /** What is the same for all requests. */
  readonly limits: {
    /** Of a body. */
    readonly maxBodyBytes: number;
    /** Of a picture, or of all frames of an animation. */
    readonly maxPixels: number;
    /** Of a clip or an animation, in frames. */
    readonly maxFrames: number;
    /** Of one run of the vision tokenizer. */
    readonly maxRunPixels: number;
  };
  /** Bytes of request bodies that one caller may have under way. */
  readonly bodyBytes: number;
  /** Bytes of answers that one address may leave unread. */
  readonly unreadBytes: number;
  /** Connections that one address may hold open. */
  readonly maxConnections: number;
  /** How long a request may take. */
  readonly requestTimeoutMs: number | undefined;
  /** How long running requests have once the server is to stop. */
  readonly shutdownGraceMs: number;
  /** How long it is listened at least once the server is to stop. */
  readonly shutdownDelayMs: number;
  /** What keeps jobs and first answers. */
  readonly store: {
    /** A file; undefined where there is no home, and none is named. */
    readonly path: string | undefined;
    /** Whether it was named, and nothing else will do. */
    readonly named: boolean;
    /** How large it may become. */
    readonly maxBytes: number;
    /** How long what has ended is kept. */
    readonly ttlMs: number;
  };
  /** What webhooks are signed with; undefined for no webhooks. */
  readonly webhookSecret: string | undefined;
  /** How the log looks. */
  readonly log: LogFormat;
  /** The queue that jobs are taken from; undefined for none. */
  readonly runpod: RunpodPlace | undefined;
}

/** What the machine says. */
export interface Machine {
  /** Threads that may compute at once without being stopped. */
  readonly cpus: number;
  /** That the process may have. */
  readonly memoryBytes: number;
  /** True if a person reads the log; false by default. */
  readonly terminal?: boolean;
}

/** A variable that cannot be used. */
export class EnvironmentError extends Error {
  /** Says what is wrong with a variable. */
  constructor(
    /** Its name. */
    readonly variable: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use ${variable}: ${reason}`, options);
    this.name = "EnvironmentError";
  }
}

/** The machine that this runs on, as far as a container leaves it to it. */
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
 * The environment that `get` reads; an empty variable counts as unset.
 *
 * @throws {EnvironmentError} Naming the variable at fault.
 */
export function readEnvironment(
  machine: Machine,
  get: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Environment {
  const values = readValues(get);
  const model = values.MODEL ?? EMBEDDED_MODEL;
  const cache = cacheFolder(get);
  return {
    folders: {
      gen: values.GEN_MODEL ?? model,
      chat: values.CHAT_MODEL ?? model,
      vision: values.VISION_MODEL,
    },
    aliases: values.MODEL_ALIASES,
    functions: values.FUNCTIONS,
    listen: {
      hostname: values.HOST,
      port: values.PORT ?? values.AIP_HTTP_PORT ?? DEFAULT_PORT,
    },
    healthPort: values.PORT_HEALTH,
    device: values.DEVICE,
    deviceMemoryBytes: values.GPU_MEMORY_BYTES,
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
      maxRunPixels: maxRunPixels(machine.memoryBytes),
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
    log: values.LOG ?? (machine.terminal ? "pretty" : "json"),
    runpod: attempt("RUNPOD_WEBHOOK_POST_OUTPUT", () => runpodPlace(values)),
  };
}

/** What `--help` prints. */
export function helpText(): string {
  const width = Math.max(...Object.keys(VARIABLES).map((name) => name.length));
  const lines = Object.entries(VARIABLES).map(([name, { meaning, unset }]) =>
    `  ${name.padEnd(width)}  ${meaning}\n  ${
      "".padEnd(width)
    }  unset: ${unset}`
  );
  return `emu3 ${VERSION}: Emu3 as HTTP functions

Usage: deno task start [--help] [--version] [--<option> <value>]…

Every variable but a secret is an option, too: --port 9000 is PORT=9000.

Environment variables:
${lines.join("\n")}
`;
}

const DEFAULT_PORT = 8080;

/** Threads of the codec by default: pictures are few beside what models compute. */
const MAX_CODEC_THREADS = 4;

/** Largest bodies that one caller may have under way, unless told. */
const BODIES = 4;

/** Where programs keep what they can make again. */
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
  // Each entry was made by the parser of its own variable.
  return Object.fromEntries(entries) as Values;
}

/** @param name Of the variable that is at fault when `read` fails. */
function attempt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new EnvironmentError(name, cause.message, { cause });
  }
}
