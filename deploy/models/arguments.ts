/**
 * The command line of `deno task models`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";

/** The arguments of the command. */
export type ModelsArguments =
  | { readonly command: "pull"; readonly sources: readonly string[] }
  | { readonly command: "list" }
  | {
    readonly command: "verify";
    /** Sources to verify; empty for all. */
    readonly sources: readonly string[];
  }
  | PruneArguments
  | {
    readonly command: "publish";
    /** Folder, or a source that is downloaded first. */
    readonly source: string;
    /** Folder, or a URL of `s3://` or `gs://`. */
    readonly target: string;
    /** True if other content at the target may be replaced. */
    readonly replace: boolean;
  };

/** The arguments of `models prune`. */
export interface PruneArguments {
  /** Discriminant of the union. */
  readonly command: "prune";
  /** Names of models to keep. */
  readonly keep: readonly string[];
  /** Milliseconds without a read after which models are removed. */
  readonly olderThanMs: number | undefined;
  /** True to remove unfinished downloads only. */
  readonly partial: boolean;
  /** True to report without removing. */
  readonly dryRun: boolean;
}

/**
 * Returns the error of an invalid command line, with the fault and the usage.
 */
function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("models", reason, USAGE, options);
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task models <command>

  pull <source>…                 download models into the cache
  list                           list the models in the caches
  verify <source>… | --all       compare files with their hashes, open those
                                 without a known hash, report missing ones
  prune                          remove unused data: revisions without a branch
                                 or tag, files of no revision, empty folders
    --older-than <30d|12h>       also remove models not read for this long
    --partial                    remove unfinished downloads only
    --keep <name>                keep this model; can be repeated
    --dry-run                    report what would be removed, remove nothing
  publish <source> <target>      copy a checkpoint with its manifest to a
                                 folder, s3://bucket/prefix or gs://bucket/prefix
    --replace                    replace other content at the target

A source is a folder, org/name[@revision], s3://bucket/prefix, gs://bucket/prefix
or https://host/folder.

Options of every command:
  --json                         print one JSON object per event, as is the
                                 default when the output is not a terminal
  --help                         print this help

Exit codes: 0 success, 1 failure or damaged files, 2 invalid usage,
130 interrupted.`;

const OPTIONS = {
  all: { type: "boolean" },
  keep: { type: "string", multiple: true },
  "older-than": { type: "string" },
  partial: { type: "boolean" },
  "dry-run": { type: "boolean" },
  replace: { type: "boolean" },
} as const;

/** Options of each command. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  pull: [],
  list: [],
  verify: ["all"],
  prune: ["keep", "older-than", "partial", "dry-run"],
  publish: ["replace"],
};

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): ModelsArguments {
  const { values, positionals } = read(words);
  const [command, ...names] = positionals;
  const allowed = command === undefined
    ? undefined
    : Object.hasOwn(ALLOWED, command)
    ? ALLOWED[command]
    : undefined;
  if (allowed === undefined) {
    const expected = Object.keys(ALLOWED).join(", ");
    throw usageError(
      command === undefined
        ? `the command is missing, expected ${expected}`
        : `"${command}" is not a command, expected ${expected}`,
    );
  }
  const stray = Object.keys(values).find((name) => !allowed.includes(name));
  if (stray !== undefined) {
    throw usageError(`--${stray} is not an option of ${command}`);
  }
  switch (command) {
    case "pull":
      if (names.length === 0) throw usageError("the source is missing");
      return { command, sources: names };
    case "verify":
      if ((names.length === 0) !== (values.all === true)) {
        throw usageError("expected either sources or --all");
      }
      return { command, sources: names };
    case "publish":
      return {
        command,
        ...published(names),
        replace: values.replace === true,
      };
    case "prune":
      none(names);
      return {
        command,
        keep: values.keep ?? [],
        olderThanMs: duration(values["older-than"]),
        partial: values.partial === true,
        dryRun: values["dry-run"] === true,
      };
    default:
      none(names);
      return { command: "list" };
  }
}

function none([extra]: readonly string[]): void {
  if (extra !== undefined) {
    throw usageError(`"${extra}" is unexpected; remove it`);
  }
}

function published([source, target, ...others]: readonly string[]) {
  if (source === undefined || target === undefined) {
    throw usageError("publish takes a source and a target");
  }
  none(others);
  return { source, target };
}

const HOUR_MS = 3_600_000;

function duration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count === undefined) {
    throw usageError(
      `--older-than is "${text}", expected days or hours such as 30d or 12h`,
    );
  }
  return Number(count) * (unit === "d" ? 24 * HOUR_MS : HOUR_MS);
}

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, OPTIONS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw usageError(reason, { cause });
  }
}
