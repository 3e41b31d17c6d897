/**
 * The server: reads the environment, serves, and stops when it is told to.
 *
 * The one file with effects at its top level. It listens (`serving.ts`) long
 * before it is ready, so that whoever watches sees it live; it says that it is
 * ready when its models are.
 *
 * @module
 */

import { UsageError } from "../lib/command_line.ts";
import { endProcess } from "../lib/runtime/end_process.ts";
import {
  type Environment,
  EnvironmentError,
  helpText,
  readEnvironment,
  thisMachine,
} from "./env.ts";
import { escapeText } from "./http/errors/escaped_text.ts";
import type { Services } from "./models/services.ts";
import { ListenError, serve } from "./server.ts";
import { stopOnSignal } from "./shutdown/shutdown.ts";
import { startLog } from "./models/start_log.ts";
import { parseStartOptions } from "./config/start_options.ts";
import { isExpected, startServices } from "./models/start_services.ts";
import { VERSION } from "./http/version.ts";

/** Exit codes: a bad start, and a bad setting. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const { help, version, variables } = parseStartOptions(Deno.args);
    if (help) return say(helpText().trimEnd());
    if (version) return say(VERSION);
    // Before anything reads the environment, wherever that is.
    for (const [name, value] of variables) Deno.env.set(name, value);
    const environment = readEnvironment(thisMachine());
    warnOfOpenDoor(environment);
    await run(environment);
  } catch (error) {
    if (error instanceof EnvironmentError) leave(error.message, MISUSED);
    if (error instanceof UsageError) leaveMisused(error);
    if (isForeseen(error)) leave(error.message, FAILED);
    throw error;
  }
}

/** Returns whether the message of `error` says all there is to know. */
function isForeseen(error: unknown): error is Error {
  return isExpected(error) || error instanceof ListenError;
}

async function run(environment: Environment): Promise<void> {
  const services = await startServices(environment, {
    onPhase: startLog(environment.log, say),
    complain,
  });
  const output = { say, complain };
  const serving = await serve(environment, services, output);
  const { url, servers, jobs, queue, drain } = serving;
  stopOnSignal({
    drain,
    jobs,
    queue,
    servers,
    rest: [services],
    graceMs: environment.shutdownGraceMs,
    delayMs: environment.shutdownDelayMs,
  });
  try {
    await services.loaded;
  } catch (error) {
    // What was told to stop loads no more.
    if (drain.draining) return;
    // Whoever started it starts it again, or tells somebody: a server that
    // stays and never becomes ready does neither.
    if (isForeseen(error)) leave(error.message, FAILED);
    throw error;
  }
  queue?.start();
  announce(url, services);
}

/** Everybody else's machine may call, and nobody has to say who they are. */
function warnOfOpenDoor({ listen, apiKeys }: Environment): void {
  const own = /^(127(\.\d+){3}|\[?::1\]?|localhost)$/i.test(listen.hostname);
  if (own || apiKeys.length > 0) return;
  complain(
    `emu3 listens on ${listen.hostname} and asks nobody for a key: set API_KEYS, or HOST=127.0.0.1`,
  );
}

/** The one line that says where, what and how. */
function announce(url: string, services: Services): void {
  const names = services.models().map(({ name }) => name).join(", ");
  say(escapeText(
    `emu3 ${VERSION} ready at ${url}: ${names} on ${services.device} in ${services.precision}`,
  ));
}

/** Ends with a usage text, which has lines of its own. */
function leaveMisused({ message }: UsageError): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
  Deno.exit(MISUSED);
}

function leave(message: string, code: number): never {
  complain(message);
  // Models may still be loading.
  endProcess(code);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Writes one line, which may quote names of files and answers of hubs. */
function complain(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${escapeText(line)}\n`));
}
