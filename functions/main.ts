/**
 * The server: reads the environment, serves, and stops when it is told to.
 *
 * The one file with effects at its top level. Listens at once, so that whoever
 * watches sees it live; says that it is ready when its models are.
 *
 * @module
 */

import { placesFrom, SourceError } from "../deploy/cache/locate.ts";
import { obtain } from "../deploy/cache/obtain.ts";
import { Emu3Error } from "../lib/errors.ts";
import {
  type AppOptions,
  createApp,
  createHealthApp,
  createJobApp,
} from "./app.ts";
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
import { Services } from "./services.ts";
import { VERSION } from "./version.ts";

/** Exit codes: a bad start, and a bad setting. */
const FAILED = 1;
const MISUSED = 2;

const STOP_SIGNALS: readonly Deno.Signal[] = ["SIGTERM", "SIGINT"];

if (import.meta.main) {
  if (Deno.args.includes("--help")) say(helpText().trimEnd());
  else if (Deno.args.includes("--version")) say(VERSION);
  else await main();
}

async function main(): Promise<void> {
  try {
    const environment = readEnvironment(thisMachine());
    warnOfOpenDoor(environment);
    const folders = await locateAll(environment.folders);
    await run({ ...environment, folders });
  } catch (error) {
    if (error instanceof EnvironmentError) leave(error.message, MISUSED);
    if (error instanceof Emu3Error || error instanceof SourceError) {
      leave(error.message, FAILED);
    }
    throw error;
  }
}

/** Folders in place of names. */
async function locateAll(
  { gen, chat, vision }: Environment["folders"],
): Promise<Environment["folders"]> {
  const { signal } = new AbortController();
  const how = { places: placesFrom(), onProgress: () => {}, signal };
  return {
    gen: await obtain(gen, how),
    chat: await obtain(chat, how),
    vision: vision && await obtain(vision, how),
  };
}

async function run(environment: Environment): Promise<void> {
  const { listen, healthPort } = environment;
  const services = await Services.start({
    ...environment,
    pictureNetwork: environment.urlInputs ? INTERNET : undefined,
    warn: complain,
    ffmpeg: "ffmpeg",
  });
  const options = {
    ...environment,
    maxRequests: environment.slots + environment.queueLimit,
    log: lineSink(environment.log, say, complain),
    metrics: new Metrics(services),
  };
  const jobs = openJobs(environment, services, options);
  const servers = [serve(listen, createApp(services, options, jobs))];
  jobs.recover();
  if (healthPort !== undefined && healthPort !== listen.port) {
    const place = { ...listen, port: healthPort };
    servers.push(serve(place, createHealthApp(services, options)));
  }
  stopOnSignal(servers, [jobs, services], environment.shutdownGraceMs);
  try {
    await services.loaded;
  } catch (error) {
    if (error instanceof Emu3Error || error instanceof RangeError) {
      leave(error.message, FAILED);
    }
    throw error;
  }
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

/** Takes no more requests, lets those at work finish, then ends them. */
function stopOnSignal(
  servers: readonly Deno.HttpServer<Deno.NetAddr>[],
  rest: readonly AsyncDisposable[],
  graceMs: number,
): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    const finished = Promise.all(servers.map((server) => server.shutdown()));
    const grace = new Promise((resolve) => setTimeout(resolve, graceMs));
    await Promise.race([finished, grace]);
    // What still runs is told that the server stops.
    for (const one of rest) await one[Symbol.asyncDispose]();
    await Promise.race([finished, soon()]);
    Deno.exit(0);
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
}

/** Time for last answers to be written. */
function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 200));
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
