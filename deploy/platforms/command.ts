/**
 * The command that writes the files for a platform: `deno task deploy`.
 *
 * It deploys nothing itself: it prints the commands, to be run with the user's
 * own rights. Its entry, `functions/cli/deploy.ts`, passes the server's variables.
 *
 * @module
 */

import { join } from "node:path";
import { parseArguments, USAGE } from "./arguments.ts";
import { UsageError } from "../../lib/command_line.ts";
import { OptionsError, type SettingParsers } from "./options.ts";
import type { Rendering } from "./platform.ts";
import { render } from "./platforms.ts";
import { renderPrepareJob } from "./prepare_job.ts";
import { parsePrepareJob, PREPARE_JOB_USAGE } from "./prepare_job_arguments.ts";
import {
  CLUSTER_USAGE,
  parseClusterArguments,
  renderCluster,
} from "./workflows/cluster_arguments.ts";
import { identityPublicKey } from "./workflows/identity_key.ts";

/** A rendering, and the folder for it; undefined to print it only. */
interface Rendered {
  readonly rendering: Rendering;
  readonly out: string | undefined;
}

/** A command of the task, which its first word selects. */
interface Subcommand {
  readonly usage: string;
  /** Returns nothing if it has printed its answer. */
  readonly run: (
    words: readonly string[],
  ) => Promise<Rendered | undefined> | Rendered;
}

/** Commands in place of a platform. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  "prepare-data": { usage: PREPARE_JOB_USAGE, run: preparation },
  workflows: { usage: CLUSTER_USAGE, run: cluster },
};

/** Exit codes: failure, and invalid usage. */
const FAILED = 1;
const MISUSED = 2;

/** Errors of a folder that files cannot be written to. */
const UNWRITABLE = [
  Deno.errors.AlreadyExists,
  Deno.errors.NotADirectory,
  Deno.errors.PermissionDenied,
] as const;

/**
 * Runs the command; prints errors of the user and exits with their code.
 *
 * @param words Arguments of the command line.
 * @param parsers Variables of the server, which settings may set.
 */
export async function deploy(
  words: readonly string[],
  parsers: SettingParsers,
): Promise<void> {
  const [first = "", ...others] = words;
  const command = Object.hasOwn(SUBCOMMANDS, first)
    ? SUBCOMMANDS[first]
    : undefined;
  if (words.includes("--help")) return say(command?.usage ?? USAGE);
  try {
    const rendered = command === undefined
      ? server(words, parsers)
      : await command.run(others);
    if (rendered === undefined) return;
    const { rendering, out } = rendered;
    if (out === undefined) show(rendering);
    else await write(rendering, out);
  } catch (error) {
    if (error instanceof UsageError || error instanceof OptionsError) {
      leave(error.message, MISUSED);
    }
    if (UNWRITABLE.some((one) => error instanceof one)) {
      const reason = error instanceof Error ? error.message : "";
      leave(
        `Cannot write files: ${reason}; nothing is overwritten, choose another folder`,
        FAILED,
      );
    }
    throw error;
  }
}

function server(words: readonly string[], parsers: SettingParsers): Rendered {
  const { platform, options, out } = parseArguments(words);
  return { rendering: render(platform, options, parsers), out };
}

function preparation(words: readonly string[]): Rendered {
  const { options, out } = parsePrepareJob(words);
  return { rendering: renderPrepareJob(options), out };
}

async function cluster(
  words: readonly string[],
): Promise<Rendered | undefined> {
  const parsed = parseClusterArguments(words);
  if (parsed.type === "render") {
    const { platform, options, out } = parsed;
    return { rendering: renderCluster(platform, options), out };
  }
  say(await identityPublicKey(await read(parsed.path)));
}

/** @throws {OptionsError} If the file cannot be read. */
async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new OptionsError(`${path} cannot be read`, { cause });
  }
}

function show({ files, steps }: Rendering): void {
  for (const [path, text] of Object.entries(files)) {
    say(`==> ${path} <==\n${text}`);
  }
  say(`Then:\n${steps.map((step) => `  ${step}`).join("\n")}`);
}

async function write({ files, steps }: Rendering, out: string): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(out, path), text, { createNew: true });
    say(join(out, path));
  }
  say(`Then, in ${out}:\n${steps.map((step) => `  ${step}`).join("\n")}`);
}

function leave(message: string, code: number): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
  Deno.exit(code);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
