/**
 * The server: reads the environment, serves, and stops when it is told to.
 *
 * The one file with effects at its top level. Listens at once, before a model is
 * looked for, so that whoever watches sees it live; says that it is ready when
 * its models are.
 *
 * @module
 */

import { DiskError } from "../deploy/cache/disk.ts";
import { placesFrom, SourceError } from "../deploy/cache/locate.ts";
import { foreseeVision } from "../deploy/cache/foresee.ts";
import { obtainForUse } from "../deploy/cache/snapshots/in_use.ts";
import { Emu3Error } from "../lib/errors.ts";
import {
  type AppOptions,
  createApp,
  createHealthApp,
  createJobApp,
} from "./app.ts";
import { Drain } from "./drain.ts";
import {
  type Environment,
  EnvironmentError,
  helpText,
  readEnvironment,
  thisMachine,
} from "./env.ts";
import { IN_MEMORY, StoreError } from "./jobs/database.ts";
import { Jobs, type JobsOptions } from "./jobs/jobs.ts";
import { lineSink } from "./log_sink.ts";
import { Metrics } from "./metrics.ts";
import { postOutside } from "./outside_post.ts";
import { INTERNET } from "./outside_request.ts";
import { runpodWorker } from "./runpod/start.ts";
import { Services } from "./services.ts";
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
    error instanceof DiskError || error instanceof RangeError;
}

async function run(environment: Environment): Promise<void> {
  const { listen, healthPort } = environment;
  const places = placesFrom();
  // Held as long as this process lives: nobody removes what it serves.
  const inUse: Disposable[] = [];
  const services = await Services.start({
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
  const drain = new Drain();
  const options = {
    ...environment,
    maxRequests: environment.slots + environment.queueLimit,
    log: lineSink(environment.log, say, complain),
    drain,
    metrics: new Metrics(services, drain),
  };
  const jobs = openJobs(environment, services, options);
  const servers = [serve(listen, createApp(services, options, jobs))];
  const { runpod, slots } = environment;
  const queue = runpodWorker(runpod, services, options, slots);
  jobs.recover();
  if (healthPort !== undefined && healthPort !== listen.port) {
    const place = { ...listen, port: healthPort };
    servers.push(serve(place, createHealthApp(services, options)));
  }
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
  announce(servers[0]!, services);
}

/** The store of the environment; in memory where none was named and none can be. */
function openJobs(
  environment: Environment,
  services: Services,
  options: AppOptions,
): Jobs {
  const { path, named, maxBytes, ttlMs } = environment.store;
  const worker = createJobApp(services, options);
  const jobs = (path: string) =>
    new Jobs({
      path,
      ttlMs,
      maxBytes,
      limit: options.maxRequests,
      now: Date.now,
      execute: async (request, call) => await worker.fetch(request, { call }),
      onFailure: (error) => options.log.failure("job", error),
      pageBase: options.publicUrl ?? "",
      webhooks: webhooksOf(environment),
    });
  try {
    return jobs(path ?? IN_MEMORY);
  } catch (error) {
    if (named || !(error instanceof StoreError)) throw error;
    complain(`${error.message}; until then jobs are lost with this server`);
    return jobs(IN_MEMORY);
  }
}

/** How others are told of jobs, where that is allowed. */
function webhooksOf(
  { webhookSecret: secret, urlInputs, publicUrl, listen }: Environment,
): JobsOptions["webhooks"] {
  if (secret === undefined || !urlInputs) return undefined;
  const base = publicUrl ?? `http://${hostIn(listen.hostname)}:${listen.port}`;
  return {
    secret,
    post: postOutside(INTERNET),
    publicUrl: base,
  };
}

function serve(
  { hostname, port }: Environment["listen"],
  app: ReturnType<typeof createApp>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, app.fetch);
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the port is in use"
      : error instanceof Error
      ? error.message
      : "the system refuses";
    leave(
      `Cannot listen on ${hostname}:${port}: ${reason}, set HOST and PORT`,
      FAILED,
    );
  }
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
function announce(
  server: Deno.HttpServer<Deno.NetAddr>,
  services: Services,
): void {
  const { hostname, port } = server.addr;
  const host = hostIn(hostname);
  const names = services.models().map(({ name }) => name).join(", ");
  say(
    `emu3 ${VERSION} ready at http://${host}:${port}: ${names} on ${services.device} in ${services.precision}`,
  );
}

/** As it stands in a URL. */
function hostIn(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function leave(message: string, code: number): never {
  complain(message);
  Deno.exit(code);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function complain(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
