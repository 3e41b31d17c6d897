/**
 * The server: reads the environment, serves, and stops when it is told to.
 *
 * The one file with effects at its top level. It listens (`serving.ts`) long
 * before it is ready, so that whoever watches sees it live; it says that it is
 * ready when its models are.
 *
 * @module
 */

import { DiskError } from "../deploy/cache/disk.ts";
import { placesFrom, SourceError } from "../deploy/cache/locate.ts";
import { foreseeVision } from "../deploy/cache/foresee.ts";
import { obtainForUse } from "../deploy/cache/snapshots/in_use.ts";
import { Emu3Error } from "../lib/errors.ts";
import { endProcess } from "../lib/runtime/end_process.ts";
import {
  type Environment,
  EnvironmentError,
  helpText,
  readEnvironment,
  thisMachine,
} from "./env.ts";
import { escapeText } from "./escaped_text.ts";
import { INTERNET } from "./outside_request.ts";
import { Services } from "./services.ts";
import { ListenError, serve } from "./serving.ts";
import { stopOnSignal } from "./shutdown.ts";
import { startLog } from "./start_log.ts";
import { VERSION } from "./version.ts";

/** Exit codes: a bad start, and a bad setting. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) {
  if (Deno.args.includes("--help")) say(helpText().trimEnd());
  else if (Deno.args.includes("--version")) say(VERSION);
  else await main();
}

async function main(): Promise<void> {
  try {
    const environment = readEnvironment(thisMachine());
    warnOfOpenDoor(environment);
    await run(environment);
  } catch (error) {
    if (error instanceof EnvironmentError) leave(error.message, MISUSED);
    if (isForeseen(error)) leave(error.message, FAILED);
    throw error;
  }
}

/** Whether its message says all there is to know. */
function isForeseen(error: unknown): error is Error {
  return error instanceof Emu3Error || error instanceof SourceError ||
    error instanceof DiskError || error instanceof ListenError ||
    error instanceof RangeError;
}

async function run(environment: Environment): Promise<void> {
  const places = placesFrom();
  // Held as long as this process lives: nobody removes what it serves.
  const inUse: Disposable[] = [];
  const starting = Services.start({
    ...environment,
    obtain: async (source, onProgress, signal, needsVision) => {
      const options = { places, onProgress, onNotice: complain, signal };
      const foreseen = needsVision && foreseeVision(source, options);
      const obtained = obtainForUse(source, options);
      const [model] = await Promise.all([obtained, foreseen]);
      inUse.push(model);
      return model.folder;
    },
    onPhase: startLog(environment.log, say),
    pictureNetwork: environment.urlInputs ? INTERNET : undefined,
    warn: complain,
    ffmpeg: "ffmpeg",
  });
  const services = await starting;
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
