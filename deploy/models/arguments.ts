/**
 * The command line of `deno task models`.
 *
 * @module
 */

import { parseCommandLine } from "../../lib/command_line.ts";

/** What is asked. */
export type ModelsArguments =
  | { readonly command: "pull"; readonly sources: readonly string[] }
  | { readonly command: "list" }
  | {
    readonly command: "verify";
    /** Empty: all. */
    readonly sources: readonly string[];
  }
  | PruneArguments
  | {
    readonly command: "publish";
    /** A folder, or a source, which is got first. */
    readonly source: string;
    /** A folder, or `s3://` or `gs://`. */
    readonly target: string;
    /** Whether something else that is there may go. */
    readonly replace: boolean;
  };

/** What may go. */
export interface PruneArguments {
  /** Which command it is. */
  readonly command: "prune";
  /** Names of models that stay. */
  readonly keep: readonly string[];
  /** Whether models go that nobody has read for so long, in milliseconds. */
  readonly olderThanMs: number | undefined;
  /** Whether unfinished downloads go, and nothing else. */
  readonly partial: boolean;
  /** Whether it is only said. */
  readonly dryRun: boolean;
}

/** A command line that asks for nothing that can be done. */
export class UsageError extends Error {
  /** Says what is wrong, and what would be right. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot run models: ${reason}\n\n${USAGE}`, options);
    this.name = "UsageError";
  }
}

/** What may be asked. */
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
 * What a command line asks.
 *
 * @throws {UsageError} When something is missing, unknown or too much.
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
    throw new UsageError(
      command === undefined
        ? `no command is named, expected ${expected}`
        : `"${command}" is no command, expected ${expected}`,
    );
  }
  const stray = Object.keys(values).find((name) => !allowed.includes(name));
  if (stray !== undefined) {
    throw new UsageError(`--${stray} is no option of ${command}`);
  }
  switch (command) {
    case "pull":
      if (names.length === 0) throw new UsageError("no source is named");
      return { command, sources: names };
    case "verify":
      if ((names.length === 0) !== (values.all === true)) {
        throw new UsageError("name sources, or give --all");
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
  if (extra !== undefined) throw new UsageError(`"${extra}" is too much`);
}

function published([source, target, ...others]: readonly string[]) {
  if (source === undefined || target === undefined) {
    throw new UsageError("publish takes a source and a place");
  }
  none(others);
  return { source, target };
}

const HOUR_MS = 3_600_000;

function duration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count === undefined) {
    throw new UsageError(`--older-than "${text}" is not such as 30d or 12h`);
  }
  return Number(count) * (unit === "d" ? 24 * HOUR_MS : HOUR_MS);
}

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, OPTIONS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new UsageError(reason, { cause });
  }
}
