/**
 * The commands that run the functions without HTTP: `deno task draw`, `ask`,
 * `tokenize` and `detokenize`.
 *
 * ```text
 * words ─▶ checked ─▶ endpoint (EMU3_URL, or models loaded here) ─▶ files
 * ```
 *
 * @module
 */

import { UsageError } from "../../lib/command_line.ts";
import { endProcess } from "../../lib/runtime/end_process.ts";
import { EnvironmentError } from "../env.ts";
import { escapeText } from "../../lib/escaped_text.ts";
import { isExpected } from "../models/start_services.ts";
import { ASK } from "./ask.ts";
import type { Command } from "./command.ts";
import { DETOKENIZE } from "./detokenize_files.ts";
import { DRAW } from "./draw.ts";
import { openEndpoint, RequestError } from "./endpoint.ts";
import { ProgressLine } from "./progress_line.ts";
import { TOKENIZE } from "./tokenize_files.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["draw", DRAW],
  ["ask", ASK],
  ["tokenize", TOKENIZE],
  ["detokenize", DETOKENIZE],
]);

/** Help text of the variables that every command reads. */
const VARIABLES_HELP = `

Models are configured by the variables of "task start" (MODEL, …). With EMU3_URL
requests go to a running server instead, with the API key in EMU3_API_KEY. Exit
codes: 0 success, 1 failure, 2 invalid options, 130 interrupted.`;

/** Exit codes. */
const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

if (import.meta.main) {
  const [name = "", ...words] = Deno.args;
  // `deno task` changes to its own folder; paths are relative to the caller's.
  const folder = Deno.env.get("INIT_CWD");
  if (folder !== undefined) Deno.chdir(folder);
  await main(name, words);
}

async function main(name: string, words: readonly string[]): Promise<void> {
  const command = COMMANDS.get(name)!;
  if (words.includes("--help")) {
    return say(`${command.usage}${VARIABLES_HELP}`);
  }
  let work: ReturnType<Command["prepare"]>;
  try {
    work = command.prepare(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const { message } = new UsageError(name, cause.message, command.usage);
    return end(message, MISUSED);
  }
  const interrupt = new AbortController();
  Deno.addSignalListener("SIGINT", () => {
    // A second signal ends a process that is slow to stop.
    if (interrupt.signal.aborted) endProcess(INTERRUPTED);
    interrupt.abort(new DOMException("interrupted", "AbortError"));
  });
  endProcess(await run(work, interrupt.signal));
}

async function run(
  work: ReturnType<Command["prepare"]>,
  signal: AbortSignal,
): Promise<number> {
  using progress = new ProgressLine({
    terminal: Deno.stderr.isTerminal(),
    write: (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
  });
  try {
    progress.show("loading the models");
    await using endpoint = await openEndpoint({
      url: Deno.env.get("EMU3_URL") || undefined,
      apiKey: Deno.env.get("EMU3_API_KEY") || undefined,
      complain: (line) => progress.print(escapeText(line)),
      signal,
    });
    progress.clear();
    return await work({ endpoint, progress, say, readText });
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    if (error instanceof EnvironmentError) {
      progress.print(error.message);
      return MISUSED;
    }
    if (!isExpected(error) && !isOfUser(error)) throw error;
    progress.print(error.message);
    return FAILED;
  }
}

/** Returns true if `error` is of the server, of files or of their names. */
function isOfUser(error: unknown): error is Error {
  return error instanceof RequestError ||
    error instanceof Error && /^Cannot /.test(error.message);
}

async function readText(): Promise<string> {
  return (await new Response(Deno.stdin.readable).text()).trimEnd();
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function end(message: string, code: number): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
  Deno.exit(code);
}
