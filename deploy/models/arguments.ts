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

/** Returns the error of an invalid command line, with the fault and the usage. */
function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("models", reason, USAGE, options);
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task models <command>

  pull <source>…                 get models into the cache
  list                           what the caches hold
  verify <source>… | --all       hash files again and compare, open what no hash
                                 is known of, look for what is missing
  prune                          remove what nobody needs:
    (nothing said)               revisions that no branch or tag names, files
                                 that no revision has, and empty folders
    --older-than <30d|12h>       and models that nobody read for so long
    --partial                    unfinished downloads, and nothing else
    --keep <name>                not this one; may be said again
    --dry-run                    only say what would go
  publish <source> <place>       send a checkpoint with its manifest to a
                                 folder, s3://bucket/prefix or gs://bucket/prefix
    --replace                    although another one is there

A source is a folder, org/name[@revision], s3://bucket/prefix, gs://bucket/prefix
or https://host/folder. At a terminal there are bars and words, otherwise one
line of JSON an event (--json: always). Exit codes: 0 done, 1 failed or something
is bad, 2 asked wrongly, 130 interrupted.`;

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
        ? `no command is named, expected ${expected}`
        : `"${command}" is no command, expected ${expected}`,
    );
  }
  const stray = Object.keys(values).find((name) => !allowed.includes(name));
  if (stray !== undefined) {
    throw usageError(`--${stray} is no option of ${command}`);
  }
  switch (command) {
    case "pull":
      if (names.length === 0) throw usageError("no source is named");
      return { command, sources: names };
    case "verify":
      if ((names.length === 0) !== (values.all === true)) {
        throw usageError("name sources, or give --all");
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
  if (extra !== undefined) throw usageError(`"${extra}" is too much`);
}

function published([source, target, ...others]: readonly string[]) {
  if (source === undefined || target === undefined) {
    throw usageError("publish takes a source and a place");
  }
  none(others);
  return { source, target };
}

const HOUR_MS = 3_600_000;

function duration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count === undefined) {
    throw usageError(`--older-than "${text}" is not such as 30d or 12h`);
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
