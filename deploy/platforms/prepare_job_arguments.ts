/**
 * The command line of `deno task deploy prepare-data`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";
import { parseArguments as parsePreparation } from "../prepare/arguments.ts";
import type { PrepareJobOptions } from "./prepare_job.ts";

/** The arguments of the command. */
export interface PrepareJobArguments {
  /** Options of the job. */
  readonly options: PrepareJobOptions;
  /** Folder for the files; undefined to print them only. */
  readonly out: string | undefined;
}

/** Usage text of the command. */
export const PREPARE_JOB_USAGE =
  `Usage: deno task deploy prepare-data --image <reference> --claim <name> --parts <n> --dry-run|--out <folder> [options] [-- <words>]

Writes an indexed Job of Kubernetes that prepares data for tuning in parts, one
a pod. Words after -- are options of task prepare-data, such as --to parquet.

Options:
  --image            reference of the image built from deploy/Containerfile or
                     deploy/Containerfile.cuda (required)
  --claim            claim of the input and the set, mounted at /data; several
                     parts need ReadWriteMany (required)
  --parts            number of parts (required)
  --parallel         parts at once (all)
  --input            path of the input (/data/input)
  --set-folder       path of the set (/data/prepared)
  --storage          claim of the model, mounted at /mnt/models
  --dry-run          print the files
  --out              write the files to this folder
  --name             name of the job (emu3-prepare)
  --secret           HF_TOKEN, EMU3_API_KEY: name of its secret; can be repeated
  --gpu              one GPU per part
  --cpus             processors per part (4)
  --memory-gib       memory per part, in GiB (8)`;

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

const OPTIONS = {
  ...{ image: TEXT, claim: TEXT, parts: TEXT, parallel: TEXT, input: TEXT },
  ...{ "set-folder": TEXT, storage: TEXT, out: TEXT, name: TEXT, cpus: TEXT },
  ...{ "dry-run": FLAG, gpu: FLAG, "memory-gib": TEXT },
  secret: { type: "string", multiple: true },
} as const;

/** Secrets that a job may have. */
const SECRETS = ["HF_TOKEN", "EMU3_API_KEY"];

/**
 * Parses a command line, without its first word.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous, or
 * the words after `--` are no options of `task prepare-data`.
 */
export function parsePrepareJob(words: readonly string[]): PrepareJobArguments {
  try {
    return parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("deploy", cause.message, PREPARE_JOB_USAGE, { cause });
  }
}

function parse(words: readonly string[]): PrepareJobArguments {
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  const { image, claim, out, "dry-run": dry, storage } = values;
  if (!image) throw new SyntaxError("--image is missing");
  if (!claim) throw new SyntaxError("--claim is missing");
  if (values.parts === undefined) throw new SyntaxError("--parts is missing");
  if ((out === undefined) !== (dry === true)) {
    throw new SyntaxError("expected either --dry-run or --out");
  }
  const parts = count("parts", values.parts);
  const options = {
    ...{ image, claim, parts, storage },
    name: values.name ?? "emu3-prepare",
    parallel: count("parallel", values.parallel ?? values.parts),
    input: values.input ?? "/data/input",
    set: values["set-folder"] ?? "/data/prepared",
    secrets: Object.fromEntries((values.secret ?? []).map(secretOf)),
    gpu: values.gpu ?? false,
    cpus: count("cpus", values.cpus ?? "4"),
    memoryGib: count("memory-gib", values["memory-gib"] ?? "8"),
    words: positionals,
  };
  checkWords(options);
  return { options, out };
}

function count(option: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new SyntaxError(`--${option} "${text}" is no number from 1 to 9999`);
}

function secretOf(pair: string): readonly [string, string] {
  const [, variable = "", name] = /^([A-Z0-9_]+)=([\w.-]+)$/.exec(pair) ?? [];
  if (name !== undefined && SECRETS.includes(variable)) return [variable, name];
  // The value is not repeated: it may be a secret.
  throw new SyntaxError(
    `--secret takes the name of a secret, such as ${
      SECRETS[0]
    }=emu3-token, for ${SECRETS.join(" or ")}`,
  );
}

/** Checks that pods can parse their words, and that the job divides the work. */
function checkWords({ input, set, words }: PrepareJobOptions): void {
  const own = words.find((word) => /^--(shard|out)\b|^-o/.test(word));
  if (own !== undefined) {
    throw new SyntaxError(`${own} is set by the job, remove it`);
  }
  try {
    parsePreparation([input, "--out", set, ...words]);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const [reason] = cause.message.split("\n");
    throw new SyntaxError(reason, { cause });
  }
}
