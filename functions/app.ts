/**
 * The application: all routes, each with a request id, a signal, limits, a log
 * line, and errors as problem documents.
 *
 * @module
 */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { accessLog, type LogSink } from "./middleware/access_log.ts";
import type { HostPolicy } from "./middleware/allowed_hosts.ts";
import { ANONYMOUS, authenticate } from "./middleware/auth.ts";
import { identifyCaller } from "./middleware/caller.ts";
import { caption } from "./caption.ts";
import { checkHost } from "./middleware/check_host.ts";
import { limitConcurrency } from "./middleware/concurrency_limit.ts";
import type { CallUsage } from "./http/call.ts";
import { type AppEnv, problemContext } from "./http/context.ts";
import { crossOrigin } from "./middleware/cross_origin.ts";
import { type OriginPolicy, refuseCrossSite } from "./middleware/cross_site.ts";
import { detokenize } from "./detokenize.ts";
import { metricsDescription } from "./openapi/description/health.ts";
import { docs } from "./openapi/docs.ts";
import { closeConnections, Drain, refuseNewWork } from "./middleware/drain.ts";
import { FUNCTION_NAMES, type FunctionName } from "./schema/common.ts";
import { generate } from "./generate.ts";
import { health } from "./health.ts";
import { readBodies } from "./http/connection/request_body.ts";
import { interruption } from "./shutdown/interruption.ts";
import { idempotency } from "./jobs/idempotency.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { preference } from "./jobs/preference.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { Metrics } from "./metrics/metrics.ts";
import { isKservePath, kserve, kserveProblem } from "./compat/kserve/kserve.ts";
import { mcp } from "./compat/mcp/mcp.ts";
import { models } from "./models.ts";
import {
  keepingPictures,
  keptPictures,
} from "./compat/openai/images/kept_pictures.ts";
import { openaiRoutes } from "./compat/openai/routes.ts";
import { openapi } from "./openapi/openapi.ts";
import { page } from "./playground/page.ts";
import type {
  Captioners,
  ImageGenerators,
  Listing,
  Tokenizers,
} from "./models/ports.ts";
import { videos } from "./compat/openai/videos/videos.ts";
import { problemFrom, problemHeaders } from "./http/errors/problem.ts";
import { limitRate, type RateLimit } from "./middleware/rate_limit.ts";
import { problemPages } from "./openapi/problem_pages.ts";
import { MethodNotAllowedError, NotFoundError } from "./http/errors/errors.ts";
import { predictions } from "./compat/replicate/predictions.ts";
import { routePath, unknownPath } from "./http/address/route_path.ts";
import { score } from "./score.ts";
import { tokenize } from "./tokenize.ts";
import { phaseSpans, tracing } from "./middleware/tracing.ts";
import { countUnsent, UnsentAnswers } from "./middleware/unsent.ts";
import type { IngressOptions } from "./workflows/ingress.ts";
import { noWorkflows, workflowRoutes } from "./workflows/routes.ts";

/** The dependencies of the routes. */
export interface AppServices
  extends ImageGenerators, Captioners, Tokenizers, Listing {}

/** Options of the application. */
export interface AppOptions extends HostPolicy, OriginPolicy {
  /** Functions that are served; the others answer 404. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Rate limit of a caller; undefined for none. */
  readonly rateLimit: RateLimit | undefined;
  /** Timeout of a request, in milliseconds. */
  readonly requestTimeoutMs: number | undefined;
  /** Maximum bytes of request bodies that one caller may have in flight. */
  readonly bodyBytes: number;
  /** Maximum bytes of unread answers of one caller. */
  readonly unreadBytes: number;
  /** Maximum concurrent requests with a body of one caller. */
  readonly maxRequests: number;
  /** Sink of log lines. */
  readonly log: LogSink;
  /** Engine of workflows; undefined for none. */
  readonly workflows?: IngressOptions | undefined;
  /** Drain state; undefined for a server that never drains. */
  readonly drain?: Drain | undefined;
  /** Metrics to count in; undefined for separate ones. */
  readonly metrics?: Metrics | undefined;
}

/** Paths that a job may request. */
const JOB_PATHS = [
  ...[...FUNCTION_NAMES, "score"].map((name) => `/v1/${name}`),
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
  "/v1/chat/completions",
  "/v1/responses",
];

/** Paths of work that cannot be a job. */
const OTHER_WORK = [
  "/v2/models/:model/infer",
  "/v2/models/:model/versions/:version/infer",
  "/mcp",
];

/**
 * Creates the application, ready to serve.
 *
 * @param jobs Jobs subsystem; undefined for a server without jobs.
 */
export function createApp(
  services: AppServices,
  options: AppOptions,
  jobs?: Jobs,
): Hono<AppEnv> {
  const { drain = new Drain() } = options;
  const metrics = options.metrics ?? new Metrics(services, drain);
  const app = bareApp(options, metrics, accessChecks(options, metrics, drain));
  app.use(refuseNewWork(drain));
  const { maxBodyBytes: maxBytes } = services.limits;
  const bodyLimits = { maxBytes, callerBytes: options.bodyBytes };
  app.use(readBodies(bodyLimits, drain));
  app.use(limitConcurrency(options.maxRequests));
  if (jobs !== undefined) {
    const { maxBodyBytes } = services.limits;
    app.use(idempotency(jobs, maxBodyBytes));
    for (const path of JOB_PATHS) {
      app.use(path, preference(jobs, maxBodyBytes));
    }
    app.use("/v1/images/*", keepingPictures(jobs));
    app.route("/", keptPictures(jobs));
    app.route("/", jobRoutes(jobs));
    const { functions } = options;
    const limits = { functions, maxBytes: maxBodyBytes, drain };
    app.route("/", predictions(jobs, services, limits));
    if (functions.has("generate")) app.route("/", videos(jobs, services));
    else app.all("/v1/videos/*", () => disabled("generate is disabled"));
  }
  const isJobPath = (path: string) => JOB_PATHS.includes(path);
  for (const path of [...JOB_PATHS, ...OTHER_WORK]) {
    app.use(path, interruption(drain, jobs, isJobPath));
  }
  app.route("/", functionRoutes(services, options));
  app.route("/", kserve(services, options.functions, drain));
  app.route("/", mcp(services, options));
  app.route("/", models(services));
  const { workflows } = options;
  app.route(
    "/",
    workflows === undefined
      ? noWorkflows()
      : workflowRoutes(workflows, services, drain),
  );
  app.route("/", health(services, drain, jobs));
  if (jobs !== undefined) metrics.watchStore(jobs);
  app.get("/metrics", metricsDescription, metrics.show);
  app.route("/", page());
  app.route("/", docs());
  app.route("/", problemPages());
  app.route("/", openapi(app));
  return app;
}

/** Creates the application of jobs: functions alone, without access checks. */
export function createJobApp(
  services: AppServices,
  options: AppOptions,
): Hono<AppEnv> {
  // The clients of a job set their own timeouts.
  const jobOptions = { ...options, requestTimeoutMs: undefined };
  const app = bareApp(jobOptions, options.metrics ?? new Metrics(services), []);
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
    else app.all(`/v1/${name}`, () => disabled(`${name} is disabled`));
  }
  const { functions } = options;
  if (functions.has("generate") || functions.has("caption")) {
    app.route("/", score(services, functions));
  } else {
    app.all(
      "/v1/score",
      () => disabled("generate and caption are disabled"),
    );
  }
  for (const { path, needs, route } of openaiRoutes(services, functions)) {
    if (options.functions.has(needs)) app.route("/", route());
    else app.all(path, () => disabled(`${needs} is disabled`));
  }
  return app;
}

/** Creates the application of a separate health port. */
export function createHealthApp(
  services: Listing,
  options: AppOptions,
  jobs?: Jobs,
): Hono<AppEnv> {
  const { drain = new Drain() } = options;
  const metrics = new Metrics(services);
  return bareApp(options, metrics, accessChecks(options, metrics, drain))
    .route("/", health(services, drain, jobs));
}

/**
 * Creates an application without routes.
 *
 * @param accessChecks Middleware of access checks.
 */
function bareApp(
  options: AppOptions,
  metrics: Metrics,
  accessChecks: readonly MiddlewareHandler<AppEnv>[],
): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ getPath: routePath });
  app.use(requestId(), tracing(), calling(options, metrics));
  app.use(accessLog(options.log));
  app.use(secureHeaders(SECURE_HEADERS));
  for (const step of accessChecks) app.use(step);
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      if (c.req.method === "OPTIONS") {
        return c.body(null, 204, { allow: methods.join(", ") });
      }
      throw new MethodNotAllowedError(methods);
    },
  }));
  // Returned, not thrown, so that other methods of the path are checked.
  app.notFound((c) => {
    const known = app.routes.map(({ path }) => path);
    return problemAnswer(c, new NotFoundError(unknownPath(c.req.path, known)));
  });
  app.onError((error, c) => {
    c.get("report")(error);
    return problemAnswer(c, error);
  });
  return app;
}

/** Returns the middleware that counts requests and checks their access. */
function accessChecks(
  options: AppOptions,
  metrics: Metrics,
  drain: Drain,
): readonly MiddlewareHandler<AppEnv>[] {
  const { apiKeys, corsOrigins, rateLimit, unreadBytes } = options;
  const now = () => performance.now();
  return [
    metrics.count,
    closeConnections(drain),
    checkHost(options),
    ...(corsOrigins.length > 0 ? [crossOrigin(corsOrigins)] : []),
    authenticate(apiKeys),
    identifyCaller(options),
    refuseCrossSite(options),
    countUnsent(new UnsentAnswers(unreadBytes)),
    ...(rateLimit === undefined ? [] : [limitRate(rateLimit, now)]),
  ];
}

function problemAnswer(c: Context<AppEnv>, error: unknown): Response {
  const problem = problemFrom(error, problemContext(c));
  const { status } = problem;
  const headers = problemHeaders(error);
  const body = isKservePath(c.req.path) ? kserveProblem(problem) : problem;
  return c.newResponse(JSON.stringify(body), { status, headers });
}

/** Security headers: the page needs its own files, and pictures in memory. */
const SECURE_HEADERS: Parameters<typeof secureHeaders>[0] = {
  // Some answers are for pages of other origins, and set their own headers.
  overwrite: false,
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", "data:", "blob:"],
    // Videos that the playground reads frames from.
    mediaSrc: ["blob:"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
  },
  // TLS, if any, ends at a proxy in front, which sets this header.
  strictTransportSecurity: false,
};

/** Returns the middleware that sets the call of a request's function. */
function calling(
  options: AppOptions,
  metrics: Metrics,
): MiddlewareHandler<AppEnv> {
  const { requestTimeoutMs } = options;
  return async (c, next) => {
    const { signal } = c.req.raw;
    const abandon = c.env?.abandon ?? new AbortController();
    // The listener's controller aborts the request's own signal.
    const signals = c.env?.abandon ? [signal] : [signal, abandon.signal];
    if (requestTimeoutMs !== undefined) {
      signals.push(AbortSignal.timeout(requestTimeoutMs));
    }
    const addSpans = phaseSpans();
    c.set("abandon", abandon);
    c.set("principal", ANONYMOUS);
    c.set("caller", c.env?.call?.caller ?? "");
    c.set("publicBase", options.publicUrl ?? "");
    c.set("pageBase", options.publicUrl ?? "");
    const finished = ({ tokens, timed }: CallUsage) => {
      c.set("tokens", tokens);
      metrics.addTokens(tokens);
      if (timed === undefined) return;
      const { model, timings } = timed;
      c.set("model", model);
      c.set("timings", timings);
      metrics.addPhases(timings);
      addSpans(model, timings);
    };
    c.set("call", {
      ...c.env?.call,
      signal: signals.length === 1 ? signal : AbortSignal.any(signals),
      observer: { ...c.env?.call?.observer, finished },
    });
    await next();
  };
}

function disabled(reason: string): never {
  throw new NotFoundError(
    `Cannot serve this route: ${reason}; add the function to FUNCTIONS and restart the server`,
  );
}
