/**
 * All routes as one application, and what every route gets: a request id, a
 * signal, limits, a log line, and errors as problem documents.
 *
 * @module
 */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { accessLog, type LogSink } from "./access_log.ts";
import { caption } from "./caption.ts";
import { type AppEnv, problemContext } from "./context.ts";
import { detokenize } from "./detokenize.ts";
import { FUNCTION_NAMES, type FunctionName } from "./function_names.ts";
import { gate } from "./gate.ts";
import { generate } from "./generate.ts";
import { health } from "./health.ts";
import { idempotency } from "./jobs/idempotency.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { preference } from "./jobs/preference.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { models } from "./models.ts";
import { page } from "./page.ts";
import type { Answerers, Drawers, Listing, Tokenizers } from "./ports.ts";
import { problemFrom, problemHeaders } from "./problem.ts";
import { MethodNotAllowedError, NotFoundError } from "./refusals.ts";
import { predictions } from "./replicate/predictions.ts";
import { score } from "./score.ts";
import { tokenize } from "./tokenize.ts";

/** All that the routes depend on. */
export interface AppServices extends Drawers, Answerers, Tokenizers, Listing {}

/** How the application behaves. */
export interface AppOptions {
  /** What is served; the rest answers 404. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Origins whose pages may call; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** How long a request may take. */
  readonly requestTimeoutMs: number | undefined;
  /** How many requests with a body are worked on at once. */
  readonly maxRequests: number;
  /** Where lines go. */
  readonly log: LogSink;
}

/**
 * The application, ready to serve.
 *
 * @param jobs Undefined where nothing outlives its request.
 */
export function createApp(
  services: AppServices,
  options: AppOptions,
  jobs?: Jobs,
): Hono<AppEnv> {
  const app = bareApp(options);
  app.use(gate(options.maxRequests));
  if (jobs !== undefined) {
    const { maxBodyBytes } = services.limits;
    app.use(idempotency(jobs, maxBodyBytes));
    for (const name of [...options.functions, "score"]) {
      app.use(`/v1/${name}`, preference(jobs, maxBodyBytes));
    }
    app.route("/", jobRoutes(jobs));
    const { functions } = options;
    const limits = { functions, maxBytes: maxBodyBytes };
    app.route("/", predictions(jobs, services, limits));
  }
  app.route("/", functionRoutes(services, options));
  app.route("/", models(services));
  app.route("/", health(services));
  app.route("/", page());
  return app;
}

/** The functions alone, for jobs: they have passed the door already. */
export function createJobApp(
  services: AppServices,
  options: AppOptions,
): Hono<AppEnv> {
  // Who waits for a job decides how long.
  const app = bareApp({ ...options, requestTimeoutMs: undefined });
  return app.route("/", functionRoutes(services, options));
}

function functionRoutes(
  services: AppServices,
  options: AppOptions,
): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const routes = {
    generate: () => generate(services),
    caption: () => caption(services),
    tokenize: () => tokenize(services),
    detokenize: () => detokenize(services),
  };
  for (const name of FUNCTION_NAMES) {
    if (options.functions.has(name)) app.route("/", routes[name]());
    else app.all(`/v1/${name}`, () => switchedOff(`${name} is not`));
  }
  const { functions } = options;
  if (functions.has("generate") || functions.has("caption")) {
    app.route("/", score(services, functions));
  } else {
    app.all(
      "/v1/score",
      () => switchedOff("neither generate nor caption is"),
    );
  }
  return app;
}

/** Health alone, for a port of its own. */
export function createHealthApp(
  services: Listing,
  options: AppOptions,
): Hono<AppEnv> {
  return bareApp(options).route("/", health(services));
}

/** What every route gets. */
function bareApp(options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(requestId(), calling(options.requestTimeoutMs));
  app.use(accessLog(options.log));
  app.use(secureHeaders(SECURE_HEADERS));
  if (options.corsOrigins.length > 0) {
    app.use(cors({ origin: corsOrigin(options), exposeHeaders: EXPOSED }));
  }
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      if (c.req.method === "OPTIONS") {
        return c.body(null, 204, { allow: methods.join(", ") });
      }
      throw new MethodNotAllowedError(methods);
    },
  }));
  // Answered, not thrown: only then is it looked whether other methods fit.
  app.notFound((c) =>
    problemAnswer(c, new NotFoundError("Cannot find path: there is none such"))
  );
  app.onError((error, c) => {
    c.var.report(error);
    return problemAnswer(c, error);
  });
  return app;
}

function problemAnswer(c: Context<AppEnv>, error: unknown): Response {
  const problem = problemFrom(error, problemContext(c));
  const { status } = problem;
  const headers = problemHeaders(error);
  return c.newResponse(JSON.stringify(problem), { status, headers });
}

/** Headers that a page of another origin may read. */
const EXPOSED = [
  "ETag",
  "X-Request-Id",
  "X-Seed",
  "X-Grid-Frames",
  "X-Grid-Height",
  "X-Grid-Width",
  "Server-Timing",
  "Retry-After",
];

/** The page needs its own files, and pictures that it holds in memory. */
const SECURE_HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", "data:", "blob:"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
  },
  // Whether there is TLS at all is for whatever stands in front to say.
  strictTransportSecurity: false,
};

function corsOrigin({ corsOrigins }: AppOptions): string | string[] {
  return corsOrigins.includes("*") ? "*" : [...corsOrigins];
}

/** Gives a request what its function is called with. */
function calling(timeoutMs: number | undefined): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const abandon = new AbortController();
    const signals = [c.req.raw.signal, abandon.signal];
    if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(timeoutMs));
    c.set("principal", "anonymous");
    c.set("abandon", abandon);
    c.set("call", {
      signal: AbortSignal.any(signals),
      note: (tokens) => c.set("tokens", tokens),
      ...c.env?.call,
    });
    await next();
  };
}

function switchedOff(claim: string): never {
  throw new NotFoundError(
    `Cannot find path: ${claim} among the FUNCTIONS of this server`,
  );
}
