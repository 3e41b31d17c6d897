/**
 * The frame of a command of `deno task`: its folder, `--help`, signals, expected
 * errors and exit codes.
 *
 * ```text
 * 0     done
 * 1     failed, with a message that states the remedy
 * 2     invalid usage
 * 130   interrupted by SIGINT or SIGTERM
 * ```
 *
 * @module
 */

import { UsageError } from "../../lib/command_line.ts";
import { Emu3Error } from "../../lib/errors.ts";
import type { ReportOptions } from "../models/report.ts";

/** Exit code of a failure. */
export const FAILED = 1;
/** Exit code of an invalid usage. */
export const MISUSED = 2;
/** Exit code of an interruption. */
export const INTERRUPTED = 130;

/** The signals of a running command. */
export interface CommandSignals {
  /** Controller that the first SIGINT or SIGTERM aborts; the second exits. */
  readonly stop: AbortController;
  /** Restores the default: from now on a signal ends the process at once. */
  readonly release: () => void;
}

/** A command. */
export interface Command {
  /** Text of its `--help`. */
  readonly usage: string;
  /** Errors that end it with their message, beside {@linkcode Emu3Error}. */
  readonly expected?: readonly (abstract new (...given: never[]) => Error)[];
  /** Message of an interruption. */
  readonly interrupted?: string;
  /** Runs it; returns its exit code, or nothing for 0. */
  readonly run: (signals: CommandSignals) => Promise<number | void>;
}

/** Runs a command as the whole program, and exits. */
export async function runCommand(command: Command): Promise<void> {
  // `deno task` changes to its own folder; paths are relative to the caller's.
  const folder = Deno.env.get("INIT_CWD");
  if (folder !== undefined) Deno.chdir(folder);
  if (Deno.args.includes("--help")) return say(command.usage);
  const signals = listen();
  try {
    const code = await command.run(signals);
    Deno.exit(code ?? 0);
  } catch (error) {
    if (signals.stop.signal.aborted) {
      leave(command.interrupted ?? "Interrupted", INTERRUPTED);
    }
    if (error instanceof UsageError) leave(error.message, MISUSED);
    const expected = [Emu3Error, ...command.expected ?? []];
    if (expected.some((type) => error instanceof type)) {
      leave((error as Error).message, FAILED);
    }
    throw error;
  }
}

function listen(): CommandSignals {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) Deno.exit(INTERRUPTED);
    stop.abort();
  };
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) Deno.addSignalListener(name, onSignal);
  const release = () => {
    for (const name of names) Deno.removeSignalListener(name, onSignal);
  };
  return { stop, release };
}

function leave(message: string, code: number): never {
  complain(`${message}\n`);
  Deno.exit(code);
}

/** Writes a line to standard output. */
export function say(line: string): void {
  writeAll(Deno.stdout, `${line}\n`);
}

/** Writes text to standard error. */
function complain(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Returns the output of reports: standard error. */
export function errorOutput(): ReportOptions {
  return {
    terminal: Deno.stderr.isTerminal(),
    write: complain,
    now: () => performance.now(),
  };
}

/** Writes all of a text; one write may take a part, to a pipe for example. */
export function writeAll(
  to: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
