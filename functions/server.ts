/**
 * From an environment to a server that listens: the application, its store of
 * jobs and its ports.
 *
 * Models are on their way by then: `main.ts` starts them first.
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
import { postOutside } from "./outbound/post.ts";
import { INTERNET } from "./outbound/request.ts";
import { runpodWorker } from "./runpod/start.ts";
import type { RunpodWorker } from "./runpod/worker.ts";
import type { Services } from "./models/services.ts";

/** A server that listens. */
export interface Serving {
  /** Where requests come in. */
  readonly url: string;
  /** All that listen. */
  readonly servers: readonly Listener[];
  /** What outlives its request. */
  readonly jobs: Jobs;
  /** Takes jobs of a queue elsewhere, once it is started; undefined for none. */
  readonly queue: RunpodWorker | undefined;
  /** Whether it is to stop. */
  readonly drain: Drain;
}

/** Where lines for people go. */
export interface Output {
  /** What is as it should be. */
  readonly say: WriteLine;
  /** What is not. */
  readonly complain: WriteLine;
}

/** A place that cannot be listened at. */
export class ListenError extends Error {
  /** Says what is wrong with the place. */
  constructor(place: string, reason: string, options?: ErrorOptions) {
    super(`Cannot listen on ${place}: ${reason}, set HOST and PORT`, options);
    this.name = "ListenError";
  }
}

/**
 * Opens the store and listens.
 *
 * @throws {ListenError} When somebody else does.
 * @throws {StoreError} When the store that was named cannot be used.
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

/** The store of the environment; in memory where none was named and none can be. */
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
    complain(`${error.message}; until then jobs are lost with this server`);
    return jobs(IN_MEMORY);
  }
}

/** How others are told of jobs, where that is allowed. */
function webhooksOf(
  { webhookSecret: secret, urlInputs, publicUrl, listen }: Environment,
): JobsOptions["webhooks"] {
  if (secret === undefined || !urlInputs) return undefined;
  return {
    secret,
    post: postOutside(INTERNET),
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
      : "the system refuses";
    throw new ListenError(`${hostname}:${port}`, reason, { cause: error });
  }
}

function urlOf({ hostname, port }: Environment["listen"]): string {
  // As an address of IPv6 stands in a URL.
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}`;
}
