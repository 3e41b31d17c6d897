/**
 * The command line of `deno task deploy`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";
import { type DeployOptions, SECRETS } from "./options.ts";
import type { Platform } from "./platform.ts";
import { PLATFORMS } from "./platforms.ts";

/** The arguments of the command. */
export interface DeployArguments {
  /** Target platform. */
  readonly platform: Platform;
  /** Options of the deployment. */
  readonly options: DeployOptions;
  /** Folder for the files; undefined to print them only. */
  readonly out: string | undefined;
}

/** Returns the error of an invalid command line, with the fault and the usage. */
function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("deploy", reason, USAGE, options);
}

/** Options that set a variable of the server. */
const SETTINGS = {
  model: "MODEL",
  "gen-model": "GEN_MODEL",
  "chat-model": "CHAT_MODEL",
  "vision-model": "VISION_MODEL",
  functions: "FUNCTIONS",
  precision: "PRECISION",
} as const;

/** Usage text of the command. */
export const USAGE =
  `Usage: deno task deploy <platform> --image <reference> --dry-run|--out <folder> [options]

Writes the files that deploy the server on a platform, and prints the commands
to run with them. Nothing is deployed. With prepare-data for a platform it writes
a job of Kubernetes, with workflows a cluster for chains: deno task deploy
prepare-data --help, deno task deploy workflows --help. Platforms:
${
    PLATFORMS.map(({ name, meaning }) => `  ${name.padEnd(13)} ${meaning}`)
      .join("\n")
  }

Options:
  --image            reference of the image built from deploy/Containerfile or
                     deploy/Containerfile.cuda (required)
  --dry-run          print the files
  --out              write the files to this folder
  --name             name of the service (emu3)
  --model, --gen-model, --chat-model, --vision-model, --functions, --precision
                     the variables MODEL and so on; see deno task start --help
  --set              any other variable; can be repeated: --set SLOTS=8
  --secret           ${SECRETS.join(", ")}: its name in the platform's
                     store of secrets, or in the shell's environment for docker,
                     compose and fly; can be repeated: --secret API_KEYS=emu3-keys
  --storage          model that the platform fetches or mounts: a folder (docker,
                     compose), a claim (kubernetes, knative), a bucket
                     (cloud-run), a URI (kserve) or a volume (runpod)
  --gpu              one GPU per server
  --cpus             processors per server (4)
  --memory-gib       memory per server, in GiB (12)
  --cache-gib        storage for models and jobs, in GiB (20)
  --min, --max       minimum and maximum number of servers (1, 1)
  --concurrency      concurrent requests per server (16)
  --request-timeout  maximum duration of a request, in seconds (300)`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): DeployArguments {
  const { values, positionals } = read(words);
  const [name, ...others] = positionals;
  const known = PLATFORMS.map(({ name }) => name).join(", ");
  if (name === undefined) {
    throw usageError(`the platform is missing, expected ${known}`);
  }
  if (others.length > 0) {
    throw usageError(`"${others[0]}" is unexpected: one platform at a time`);
  }
  const platform = PLATFORMS.find((platform) => platform.name === name);
  if (platform === undefined) {
    throw usageError(`"${name}" is not a platform, expected ${known}`);
  }
  if (!values.image) throw usageError("--image is missing");
  const { out, "dry-run": dry } = values;
  if ((out === undefined) !== (dry === true)) {
    throw usageError("expected either --dry-run or --out");
  }
  const settings = Object.entries(SETTINGS).flatMap(([option, variable]) => {
    const value = values[option as keyof typeof SETTINGS];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return {
    platform,
    out,
    options: {
      image: values.image,
      name: values.name ?? "emu3",
      settings: {
        ...Object.fromEntries(settings),
        ...pairs("--set", values.set),
      },
      secrets: pairs("--secret", values.secret),
      gpu: values.gpu ?? false,
      cpus: number("--cpus", values.cpus, 4),
      memoryGib: number("--memory-gib", values["memory-gib"], 12),
      cacheGib: number("--cache-gib", values["cache-gib"], 20),
      minServers: number("--min", values.min, 1),
      maxServers: number("--max", values.max, 1),
      concurrency: number("--concurrency", values.concurrency, 16),
      requestTimeoutS: number(
        "--request-timeout",
        values["request-timeout"],
        300,
      ),
      storage: values.storage,
    },
  };
}

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;
const FLAG = { type: "boolean" } as const;

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, {
      ...{ image: TEXT, name: TEXT, model: TEXT, "gen-model": TEXT },
      ...{ "chat-model": TEXT, "vision-model": TEXT, functions: TEXT },
      ...{ precision: TEXT, set: TEXTS, secret: TEXTS, storage: TEXT },
      ...{ gpu: FLAG, cpus: TEXT, "memory-gib": TEXT, "cache-gib": TEXT },
      ...{ min: TEXT, max: TEXT, concurrency: TEXT },
      ...{ "request-timeout": TEXT, out: TEXT, "dry-run": FLAG },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw usageError(reason, { cause });
  }
}

function pairs(
  option: string,
  given: readonly string[] = [],
): Record<string, string> {
  return Object.fromEntries(given.map((pair) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/s.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) return [name, value];
    // The value is not repeated: it may be a secret.
    throw usageError(`${option} takes NAME=value`);
  }));
}

function number(
  option: string,
  text: string | undefined,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw usageError(`${option} is "${text}", expected a number`);
}
