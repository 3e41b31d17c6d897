/**
 * The whole application on the tiny checkpoints, without a socket.
 *
 * @module
 */

import type { Hono } from "hono";
import type { AccessRecord } from "../../functions/middleware/access_log.ts";
import {
  type AppOptions,
  createApp,
  createJobApp,
} from "../../functions/app.ts";
import type { AppEnv } from "../../functions/http/context.ts";
import { FUNCTION_NAMES } from "../../functions/schema/common.ts";
import { IN_MEMORY } from "../../functions/jobs/store/database.ts";
import { Jobs, type JobsOptions } from "../../functions/jobs/jobs.ts";
import { Metrics } from "../../functions/metrics/metrics.ts";
import { Services } from "../../functions/models/services.ts";
import { goldenPath } from "./golden.ts";
import type { ServiceOptions } from "../../functions/models/service_options.ts";

/**
 * Folders of the original layout: a language model and its vision tokenizer.
 */
export const TINY_FOLDERS = {
  gen: goldenPath("checkpoints/emu3-tiny"),
  chat: goldenPath("checkpoints/emu3-tiny"),
  vision: undefined,
};

/** The records of requests. */
export interface Trace {
  /** Lines of the access log. */
  readonly access: AccessRecord[];
  /** Unexpected errors. */
  readonly failures: unknown[];
}

/** An application under test. */
export interface TinyServer extends AsyncDisposable {
  /** Routes of the application. */
  readonly app: Hono<AppEnv>;
  /** Loaded models. */
  readonly services: Services;
  /** Jobs. */
  readonly jobs: Jobs;
  /** Logs. */
  readonly trace: Trace;
}

/** Returns the options of tiny services. */
export function tinyOptions(
  changes: Partial<ServiceOptions> = {},
): ServiceOptions {
  return {
    folders: TINY_FOLDERS,
    obtain: (folder) => Promise.resolve(folder),
    functions: new Set(FUNCTION_NAMES),
    threads: 1,
    device: "cpu",
    deviceMemoryBytes: undefined,
    runtimeFolder: undefined,
    precision: undefined,
    copyFolder: undefined,
    warn: () => {},
    slots: 4,
    queueLimit: 8,
    memoryBytes: 2 ** 40,
    cacheBytes: 2 ** 26,
    cacheDtype: undefined,
    pixelBytes: undefined,
    strategy: undefined,
    pictureNetwork: undefined,
    limits: { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 20 },
    ...changes,
  };
}

/** Returns the options of an application, and the target of its log. */
export function appOptions(
  changes: Partial<AppOptions> = {},
): { options: AppOptions; trace: Trace } {
  const trace: Trace = { access: [], failures: [] };
  const options: AppOptions = {
    functions: new Set(FUNCTION_NAMES),
    corsOrigins: [],
    apiKeys: [],
    rateLimit: undefined,
    publicUrl: undefined,
    trustedProxies: 0,
    trustedHeader: "x-forwarded-for",
    allowedHosts: [],
    listen: { hostname: "127.0.0.1" },
    requestTimeoutMs: undefined,
    bodyBytes: 2 ** 27,
    unreadBytes: 2 ** 27,
    maxRequests: 16,
    log: {
      access: (record) => void trace.access.push(record),
      failure: (_, error) => void trace.failures.push(error),
    },
    ...changes,
  };
  return { options, trace };
}

/** Loads the tiny checkpoints and serves them. */
export async function openTinyServer(
  services: Partial<ServiceOptions> = {},
  app: Partial<AppOptions> = {},
  more: Partial<JobsOptions> = {},
): Promise<TinyServer> {
  const opened = await Services.start(tinyOptions(services));
  await opened.loaded;
  const { options, trace } = appOptions({
    functions: tinyOptions(services).functions,
    metrics: new Metrics(opened, app.drain),
    ...app,
  });
  const worker = createJobApp(opened, options);
  const jobs = new Jobs({
    path: IN_MEMORY,
    ttlMs: 60_000,
    maxBytes: 2 ** 26,
    limit: options.maxRequests,
    now: Date.now,
    execute: async (request, call) => await worker.fetch(request, { call }),
    onFailure: (error) => options.log.failure("job", error),
    pageBase: options.publicUrl ?? "",
    webhooks: undefined,
    ...more,
  });
  jobs.recover();
  return {
    app: createApp(opened, options, jobs),
    services: opened,
    jobs,
    trace,
    [Symbol.asyncDispose]: async () => {
      await jobs[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** Creates a JSON request. */
export function json(
  body: unknown,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** Creates a request with a binary body. */
export function bytes(
  body: Uint8Array<ArrayBuffer> | string,
  type: string,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body,
  };
}

/** Parses the events of a stream, in order. */
export function parseEvents(
  text: string,
  // deno-lint-ignore no-explicit-any
): { event: string; data: any }[] {
  return text.split("\n\n").filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block)!;
      return { event: event!, data: JSON.parse(data!) };
    });
}
