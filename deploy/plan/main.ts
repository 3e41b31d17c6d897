/**
 * The command that plans the number of servers for a load: `deno task plan`.
 *
 * @module
 */

import { parseConfigText } from "./config.ts";
import { makePlan, planFields, planText } from "./report.ts";
import { PlanError } from "./schema.ts";
import { parseArguments, USAGE } from "./usage.ts";
import { UsageError } from "../../lib/command_line.ts";

/** Exit codes: failure, and invalid usage. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) {
  if (Deno.args.includes("--help")) say(USAGE);
  else await main();
}

async function main(): Promise<void> {
  try {
    const { file, json } = parseArguments(Deno.args);
    const plan = await makePlan(parseConfigText(textOf(file)));
    say(json ? JSON.stringify(planFields(plan), undefined, 2) : planText(plan));
  } catch (error) {
    if (error instanceof UsageError) leave(error.message, MISUSED);
    if (error instanceof PlanError) leave(error.message, FAILED);
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    leave(`Cannot plan: "${file}" cannot be read: ${reason}`, FAILED);
  }
}

function leave(message: string, code: number): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
  Deno.exit(code);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
