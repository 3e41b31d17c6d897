/**
 * The server that listens: the application, its store of jobs and its ports,
 * from an environment.
 *
 * `main.ts` starts the models before.
 *
 * @module
 */

import { reclaimMemory } from "../lib/runtime/memory/reclaim_memory.ts";
import {
  type AppOptions,
  createApp,
  createHealthApp,
  createJobApp,
} from "./app.ts";
import { Drain } from "./middleware/drain.ts";
import type { Environment } from "./env.ts";
import { IN_MEMORY, StoreError } from "./jobs/store/database.ts";
import { Jobs, type JobsOptions } from "./jobs/jobs.ts";
import type { LogSink } from "./middleware/access_log.ts";
import { listen, type Listener } from "./http/connection/listener.ts";
import { logMalformed } from "./http/connection/malformed_request.ts";
import { lineSink, type WriteLine } from "./middleware/log_sink.ts";
import { MemoryReclaimer } from "./models/memory_reclaimer.ts";
import { Metrics } from "./metrics/metrics.ts";
import { INTERNET, postOutbound } from "./outbound/request.ts";
import { runpodWorker } from "./runpod/start.ts";
import type { Services } from "./models/services.ts";

/** A server that listens. */
export interface Serving {
  /** URL of the server. */
  readonly url: string;
  /** Servers of all ports. */
  readonly servers: readonly Listener[];
  /** Jobs subsystem. */
  readonly jobs: Jobs;
  /** Queue that jobs are taken from, once started; undefined for none. */
  readonly queue: ReturnType<typeof runpodWorker>;
  /** Drain state of the server. */
  readonly drain: Drain;
}

/** The output for display. */
export interface Output {
  /** Writes a normal line. */
  readonly say: WriteLine;
  /** Writes a warning. */
  readonly complain: WriteLine;
}

/** The error of an address that cannot be listened on. */
export class ListenError extends Error {
  /** Creates the error from the address and the reason. */
  constructor(place: string, reason: string, options?: ErrorOptions) {
    super(
      `Cannot listen on ${place}: ${reason}; set HOST and PORT to a free address`,
      options,
    );
    this.name = "ListenError";
  }
}

/**
 * Opens the store and listens.
 *
 * @throws {ListenError} If the address is in use or not available.
 * @throws {StoreError} If the named store cannot be used.
 */
export async function serve(
  environment: Environment,
  services: Services,
  { say, complain }: Output,
): Promise<Serving> {
  const { listen: place, healthPort, runpod, slots } = environment;
  const drain = new Drain();
  const options = {
    ...environment,
    maxRequests: environment.slots + environment.queueLimit,
    log: lineSink(environment.log, say, complain),
    drain,
    metrics: new Metrics(services, drain),
  };
  const jobs = openJobs(environment, services, options, complain);
  const app = createApp(services, options, jobs);
  const servers = [await listenAt(place, app, environment, options.log)];
  const queue = runpodWorker(runpod, services, options, slots);
  jobs.recover();
  if (healthPort !== undefined && healthPort !== place.port) {
    const health = createHealthApp(services, options, jobs);
    const at = { ...place, port: healthPort };
    servers.push(await listenAt(at, health, environment, options.log));
  }
  const reclaimer = new MemoryReclaimer({
    residentBytes: () => Deno.memoryUsage().rss,
    busy: () => servers.reduce((sum, { busy }) => sum + busy, jobs.runner.size),
    served: () => servers.reduce((sum, { served }) => sum + served, 0),
    reclaim: reclaimMemory,
    onFailure: (error) => options.log.failure("memory", error),
  });
  reclaimer.start();
  return { url: urlOf(servers[0]!.addr), servers, jobs, queue, drain };
}

/** Opens the store of the environment, or one in memory as a fallback. */
function openJobs(
  environment: Environment,
  services: Services,
  options: AppOptions,
  complain: WriteLine,
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
    complain(`${error.message}; jobs are kept in memory until then`);
    return jobs(IN_MEMORY);
  }
}

/** Returns the options of webhooks, if they are enabled. */
function webhooksOf(
  { webhookSecret: secret, urlInputs, publicUrl, listen }: Environment,
): JobsOptions["webhooks"] {
  if (secret === undefined || !urlInputs) return undefined;
  return {
    secret,
    post: postOutbound(INTERNET),
    publicUrl: publicUrl ?? urlOf(listen),
  };
}

async function listenAt(
  { hostname, port }: Environment["listen"],
  app: ReturnType<typeof createApp>,
  { maxConnections, unreadBytes }: Environment,
  log: LogSink,
): Promise<Listener> {
  try {
    return await listen(app.fetch, {
      hostname,
      port,
      maxConnections,
      maxUnsentBytes: unreadBytes,
      onMalformed: (malformed) => logMalformed(log, malformed),
    });
  } catch (error) {
    const reason = error instanceof Error && "code" in error &&
        error.code === "EADDRINUSE"
      ? "the port is in use"
      : error instanceof Error
      ? error.message
      : "the system refused it";
    throw new ListenError(`${hostname}:${port}`, reason, { cause: error });
  }
}

function urlOf({ hostname, port }: Environment["listen"]): string {
  // Formats an IPv6 address as in URLs.
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}`;
}
