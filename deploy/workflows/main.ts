/**
 * The command `deno task workflows`: Restate, the service of chains and a server
 * as one.
 *
 * @module
 */

import { UsageError } from "../../lib/command_line.ts";
import {
  type CommandSignals,
  runCommand,
  say,
} from "../command/run_command.ts";
import { runWorkflows } from "./command/run_workflows.ts";
import {
  type CommandSettings,
  commandSettings,
  USAGE,
} from "./command/settings.ts";
import { type Lookup, WorkflowVariableError } from "./variables.ts";

if (import.meta.main) {
  await runCommand({ usage: USAGE, interrupted: "Stopped", run });
}

async function run({ stop }: CommandSignals): Promise<void> {
  const [word] = Deno.args;
  if (word !== undefined) {
    throw new UsageError("workflows", `unexpected "${word}"`, USAGE);
  }
  const settings = settingsOf((name) => Deno.env.get(name));
  const output = { say, terminal: Deno.stdout.isTerminal() };
  await runWorkflows(settings, output, stop.signal);
}

/** @throws {UsageError} If a variable is invalid. */
function settingsOf(lookup: Lookup): CommandSettings {
  try {
    return commandSettings(lookup);
  } catch (cause) {
    if (!(cause instanceof WorkflowVariableError)) throw cause;
    throw new UsageError("workflows", cause.message, USAGE, { cause });
  }
}
