/**
 * The server's entry point: reads the environment, serves, and stops at a
 * signal.
 *
 * The only file with effects at its top level. It listens (`server.ts`) long
 * before it is ready, so that liveness probes succeed; it prints its URL once
 * its models are loaded.
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
import { escapeText } from "../lib/escaped_text.ts";
import type { Services } from "./models/services.ts";
import { ListenError, serve } from "./server.ts";
import { stopOnSignal } from "./shutdown/shutdown.ts";
import { startLog } from "./models/start_log.ts";
import { parseStartOptions } from "./config/start_options.ts";
import { isExpected, startServices } from "./models/start_services.ts";
import { VERSION } from "../lib/version.ts";

/** Exit codes of a failed start and of a wrong setting. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const { help, version, variables } = parseStartOptions(Deno.args);
    if (help) return say(helpText().trimEnd());
    if (version) return say(VERSION);
    // Before any other module reads the environment.
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

/** Returns true if the message of `error` needs no stack trace. */
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
    // A load that a shutdown cancels is not a failure.
    if (drain.draining) return;
    // The supervisor restarts it, or reports its exit.
    if (isForeseen(error)) leave(error.message, FAILED);
    throw error;
  }
  queue?.start();
  announce(url, services);
}

/** Warns if other machines may call without keys. */
function warnOfOpenDoor({ listen, apiKeys }: Environment): void {
  const own = /^(127(\.\d+){3}|\[?::1\]?|localhost)$/i.test(listen.hostname);
  if (own || apiKeys.length > 0) return;
  complain(
    `emu3 listens on ${listen.hostname} without API keys: set API_KEYS, or HOST=127.0.0.1 for this machine only`,
  );
}

/** Writes the line that announces the server. */
function announce(url: string, services: Services): void {
  const names = services.models().map(({ name }) => name).join(", ");
  say(escapeText(
    `emu3 ${VERSION} ready at ${url}: ${names} on ${services.device} in ${services.precision}`,
  ));
}

/** Exits with a usage text, which has several lines. */
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

/** Writes one line, which may contain file names and responses of hubs. */
function complain(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${escapeText(line)}\n`));
}
