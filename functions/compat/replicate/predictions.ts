/**
 * The predictions of Replicate's and Cog's clients. Each is a job.
 *
 * ```text
 * Replicate   a model or version is named    answers at once; Prefer: wait waits
 * Cog         nothing is named               waits; Prefer: respond-async does not
 * ```
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { readJson } from "../../http/body.ts";
import {
  cancelDescription,
  cogHealthDescription,
  getDescription,
  listDescription,
  modelDescription,
  predictDescription,
  predictModelDescription,
  putDescription,
  streamDescription,
} from "../../openapi/description/predictions.ts";
import type { Drain } from "../../middleware/drain.ts";
import { storedEvents } from "../../http/sse.ts";
import type { FunctionName } from "../../schema/common.ts";
import { hasEnded, type Job, type JobWebhook } from "../../jobs/job.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { jobPage, jobResponse } from "../../jobs/job_responses.ts";
import { refusalOf, waitFor } from "../../jobs/preference.ts";
import { asyncPreference } from "../../jobs/prefer.ts";
import { allNames, isNamed } from "../../models/model_aliases.ts";
import type { Listing } from "../../models/ports.ts";
import { namedRoute } from "../../http/address/open_routes.ts";
import { publicUrl } from "../../http/address/public_url.ts";
import {
  invalidField,
  NotFoundError,
  UnknownJobError,
} from "../../http/errors/errors.ts";
import { PredictionRequest } from "../../schema/prediction.ts";
import { files } from "./files.ts";
import { echoOf } from "./echo.ts";
import { predictionFields, predictionParts } from "./prediction.ts";
import { refuseInput } from "./input_refusal.ts";
import { predictionRequest } from "./prediction_input.ts";
import { predictionEvents } from "./prediction_stream.ts";

/** The options of the prediction routes. */
export interface PredictionsOptions {
  /** Functions that are served. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Maximum bytes of a body. */
  readonly maxBytes: number;
  /** Drain state, in which new predictions are refused. */
  readonly drain: Drain;
}

/** A requested prediction. */
interface RequestedPrediction {
  /** Name of a model or version; undefined for Cog. */
  readonly named: string | undefined;
  /** Id of the prediction; undefined for a new one. */
  readonly id?: string;
}

/** The prefix of ids that this server makes. */
const JOB_PREFIX = "job-";

/** Seconds that `Prefer: wait` waits by default. */
const WAIT_SECONDS = 60;

/** Maximum characters of a model's name. */
const MAX_NAME = 256;

/** Returns the routes, ready to mount: at the root, and below `/v1`. */
export function predictions(
  jobs: Jobs,
  listing: Listing,
  options: PredictionsOptions,
): Hono<AppEnv> {
  const predict = (c: Context<AppEnv>, prediction: RequestedPrediction) =>
    create(c, jobs, { ...options, listing }, prediction);
  const routes = new Hono<AppEnv>()
    .post(
      "/predictions",
      predictDescription,
      (c) => predict(c, { named: undefined }),
    )
    .put("/predictions/:id", putDescription, async (c) => {
      const id = c.req.param("id");
      const existing = await jobs.runner.existing(id);
      // An id of another caller costs as much as a new one until it is refused,
      // so guessing ids is not cheaper.
      if (
        existing !== undefined && isPredictionOf(c.get("principal"), existing)
      ) {
        return answer(c, jobs, existing, 202);
      }
      if (!/^(?!job-)[A-Za-z0-9_-]{1,64}$/.test(id)) {
        throw invalidField(
          "",
          "expected an id of 1 to 64 characters of A–Z a–z 0–9 _ -, without the prefix job-",
        );
      }
      return await predict(c, { named: undefined, id });
    })
    .get("/predictions", listDescription, (c) => {
      const cursor = c.req.query("cursor");
      const page = jobPage(c, jobs.store, { after: cursor, predictions: true });
      const base = publicUrl(c, "");
      const last = page.jobs.at(-1)?.id;
      return c.json({
        results: page.jobs.map((job) => predictionFields(job, undefined, base)),
        next: page.more ? `${base}${c.req.path}?cursor=${last}` : null,
        previous: null,
      });
    })
    .get(
      "/predictions/:id",
      getDescription,
      (c) => answer(c, jobs, predictionOf(c, jobs), 200),
    )
    // Replicate's client sends no key: the id alone grants access, since one
    // that was made here is as hard to guess as a key.
    .get("/predictions/:id{job-[^/]+}/stream", namedRoute)
    .get("/predictions/:id/stream", streamDescription, (c) => {
      const job = jobs.store.find(c.req.param("id"));
      const mine = job?.principal === c.get("principal") ||
        job?.id.startsWith(JOB_PREFIX);
      if (job?.prediction === undefined || !mine) throw new UnknownJobError();
      const leave = jobs.runner.readers.enter(c.get("caller"), job.id);
      const events = predictionEvents(jobs, job, c.get("call").signal);
      return storedEvents(c, events, leave);
    })
    .post("/predictions/:id/cancel", cancelDescription, async (c) => {
      const { id } = predictionOf(c, jobs);
      await jobs.runner.cancel(id);
      return answer(c, jobs, jobs.store.find(id)!, 200);
    })
    .post(
      "/models/:owner/:name/predictions",
      predictModelDescription,
      (c) => predict(c, { named: c.req.param("name") }),
    )
    .get("/models/:owner/:name", modelDescription, async (c, next) => {
      const { owner, name } = c.req.param();
      const names = listing.models().flatMap(allNames);
      const whole = names.includes(`${owner}/${name}`);
      // Below /v1 the path names a model, as in OpenAI's API.
      if (whole && c.req.path.startsWith("/v1/")) return await next();
      const known = options.functions.has(name as FunctionName) ||
        names.includes(name) || whole;
      if (!known) {
        throw new NotFoundError(
          "Cannot find model: see GET /v1/models for all models",
        );
      }
      const place = [owner, name].map(encodeURIComponent).join("/");
      const url = publicUrl(c, `/models/${place}`);
      const version = { id: name, "created_at": null };
      return c.json({ owner, name, url, "latest_version": version });
    });
  routes.route("/", files(options.maxBytes));
  return new Hono<AppEnv>()
    .get(
      "/health-check",
      cogHealthDescription,
      (c) => c.json(cogHealth(listing, options.drain)),
    )
    .route("/", routes)
    .route("/v1", routes);
}

async function create(
  c: Context<AppEnv>,
  jobs: Jobs,
  { functions, maxBytes, listing }: PredictionsOptions & {
    readonly listing: Listing;
  },
  { named, id }: RequestedPrediction,
): Promise<Response> {
  const body = await readJson(c.req.raw, PredictionRequest, maxBytes);
  const model = named ?? nameOf(body.version, listing);
  const { name, request } = predictionRequest(body.input, model, functions);
  const submitted = await jobs.runner.submit({
    ...(id !== undefined && { id }),
    request,
    principal: c.get("principal"),
    caller: c.get("caller"),
    webhook: webhookOf(body, jobs),
    prediction: {
      model: model?.slice(0, MAX_NAME) ?? "",
      version: body.version ?? "",
      input: echoOf(body.input, name),
    },
    link: (job) => c.get("link")?.(job),
  });
  if (submitted.type === "refused") {
    await refuseInput(submitted.answer, body.input, name);
    return await refusalOf(c, submitted.answer);
  }
  const { job } = submitted;
  if (submitted.type === "existing") {
    return answer(c, jobs, ownPrediction(c, job), 202);
  }
  const cog = model === undefined;
  await waitAsPreferred(c, jobs, job, cog);
  return answer(c, jobs, jobs.store.find(job.id)!, cog ? 202 : 201);
}

/**
 * Returns the name in a version of Replicate's client: `owner/name:id`, or an
 * id. The id of a model's adapter is part of the name.
 */
function nameOf(
  version: string | undefined,
  listing: Listing,
): string | undefined {
  const name = version?.split("/").at(-1);
  const isWhole = name !== undefined &&
    listing.models().some((model) => isNamed(model, name));
  return isWhole ? name : name?.split(":")[0];
}

async function waitAsPreferred(
  c: Context<AppEnv>,
  jobs: Jobs,
  job: Job,
  cog: boolean,
): Promise<void> {
  const header = c.req.header("prefer") ?? "";
  const preferred = asyncPreference(header);
  const { signal } = c.get("call");
  if (cog && preferred === undefined) {
    // Only the request refers to it: a client that disconnects cancels it.
    await jobs.runner.settled(job.id, signal);
    if (signal.aborted) await jobs.runner.cancel(job.id);
    return;
  }
  const waits = /^\s*wait\s*$/i.test(header);
  const seconds = waits ? WAIT_SECONDS : preferred?.waitSeconds ?? 0;
  if (seconds > 0) await waitFor(c, jobs, job, seconds);
}

/**
 * Returns the answer.
 *
 * @param inFlight Status for a prediction that has not ended.
 */
function answer(
  c: Context<AppEnv>,
  { store }: Jobs,
  job: Job,
  inFlight: 200 | 201 | 202,
): Response {
  const status = hasEnded(job) && inFlight === 202 ? 200 : inFlight;
  const base = publicUrl(c, "");
  return jobResponse(c, store, job, {
    status,
    parts: (answer) => predictionParts(job, answer, base),
  });
}

/** Returns the caller's prediction that the path names. */
function predictionOf(c: Context<AppEnv>, { store }: Jobs): Job {
  return ownPrediction(c, store.find(c.req.param("id")!));
}

/**
 * Returns `job` if it is a prediction of the caller.
 *
 * @throws {UnknownJobError} If there is none, or it belongs to another caller.
 */
function ownPrediction(c: Context<AppEnv>, job: Job | undefined): Job {
  if (job !== undefined && isPredictionOf(c.get("principal"), job)) return job;
  throw new UnknownJobError();
}

function isPredictionOf(principal: string, job: Job): boolean {
  return job.prediction !== undefined && job.principal === principal;
}

function webhookOf(
  { webhook: url, webhook_events_filter: filter }: PredictionRequest,
  jobs: Jobs,
): JobWebhook | undefined {
  if (url === undefined) return undefined;
  jobs.checkWebhook(url, "/webhook");
  const filters = new Set(filter ?? ["start", "completed"]);
  return {
    url,
    events: [
      ...filters.has("start") ? ["running"] as const : [],
      ...filters.has("completed")
        ? ["succeeded", "failed", "canceled", "interrupted"] as const
        : [],
    ],
  };
}

/** Returns the readiness of the models in Cog's format. */
function cogHealth(
  listing: Listing,
  { draining }: Drain,
): Record<string, unknown> {
  const states = listing.models().map(({ state }) => state.state);
  const failed = states.includes("failed");
  const starting = states.includes("loading");
  return {
    status: failed ? "SETUP_FAILED" : starting
      ? "STARTING"
      // It is live, but accepts no more predictions.
      : draining
      ? "BUSY"
      : "READY",
    setup: {
      status: failed ? "failed" : starting ? "starting" : "succeeded",
    },
  };
}
