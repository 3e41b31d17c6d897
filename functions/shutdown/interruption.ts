/**
 * The interruption: turns unfinished requests of a stopping server into jobs
 * that the next one resumes.
 *
 * The request and its rows so far are stored first; then it is ended, and its
 * client gets the job's id and, for servers whose disk is temporary, the seed
 * and the rows themselves.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/context.ts";
import type { Drain, ResumableRequest } from "../middleware/drain.ts";
import { clipFields, gridFields } from "../http/grid_json.ts";
import type { JobRequest } from "../jobs/job.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { repeatable } from "../jobs/submission.ts";
import {
  InterruptedError,
  type InterruptedState,
} from "../http/errors/errors.ts";
import { randomSeed } from "../inference/generation_params.ts";
import { keptBody } from "../http/connection/request_body.ts";
import type { InFlight } from "./in_flight.ts";

/** The store of interrupted requests; undefined if none outlive themselves. */
type InterruptedStore =
  | Pick<Jobs, "keepInterrupted" | "lasting" | "report">
  | undefined;

/**
 * Returns the middleware that lets requests be interrupted.
 *
 * @param isJobPath Returns true if a job may repeat requests of a path.
 */
export function interruption(
  drain: Drain,
  jobs: InterruptedStore,
  isJobPath: (path: string) => boolean,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.req.method !== "POST") return await next();
    const repeats = jobs !== undefined && isJobPath(c.req.path);
    const work = new InFlightRequest(c, jobs, repeats);
    const leave = drain.add(work);
    try {
      // An interrupted request is answered even if the model stops late.
      await Promise.race([next(), work.interrupted]);
    } finally {
      if (c.get("ended") === undefined) leave();
      else c.get("ended")!.then(leave);
    }
  };
}

/** A request that can be interrupted. */
class InFlightRequest implements ResumableRequest {
  readonly #context: Context<AppEnv>;
  readonly #jobs: InterruptedStore;
  readonly #repeats: boolean;
  readonly #abort = new AbortController();
  #inFlight: InFlight | undefined;
  /** Rejects when the request is interrupted. */
  readonly interrupted: Promise<never>;

  /**
   * Sets the interruption callbacks in the call of `c`.
   *
   * @param repeats True if a job can repeat the request as it is.
   */
  constructor(
    c: Context<AppEnv>,
    jobs: InterruptedStore,
    repeats: boolean,
  ) {
    this.#context = c;
    this.#jobs = jobs;
    this.#repeats = repeats;
    const { signal } = this.#abort;
    this.interrupted = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    // The client may have disconnected.
    this.interrupted.catch(() => undefined);
    const call = c.get("call");
    c.set("interrupted", signal);
    c.set("call", {
      ...call,
      signal: AbortSignal.any([call.signal, signal]),
      observer: {
        ...call.observer,
        inFlight: (inFlight) => {
          this.#inFlight = inFlight;
          call.observer?.inFlight?.(inFlight);
        },
      },
    });
  }

  readonly remainingMs = (): number | undefined =>
    this.#abort.signal.aborted ? undefined : this.#inFlight?.remainingMs();

  readonly interrupt = (): void => {
    if (this.#abort.signal.aborted) return;
    let job: string | undefined;
    this.#jobs?.report(() => job = this.#keep());
    this.#abort.abort(new InterruptedError(job, stateOf(this.#inFlight)));
  };

  /** @returns The job's id; undefined if the request cannot be a job. */
  #keep(): string | undefined {
    if (!this.#jobs?.lasting) return undefined;
    const request = this.#request();
    if (request === undefined) return undefined;
    return this.#jobs.keepInterrupted({
      request,
      principal: this.#context.var.principal,
      seed: this.#inFlight?.seed ?? randomSeed(),
      resumeStates: this.#inFlight?.resumeStates() ?? [],
    });
  }

  #request(): JobRequest | undefined {
    const { raw, path } = this.#context.req;
    const request = this.#inFlight?.request;
    const same = request?.path === path;
    // A request in flight is parsed already, and takes less space as codes.
    const body = this.#repeats && !same ? keptBody(raw) : undefined;
    if (body !== undefined) return repeatable(raw, body);
    if (request === undefined) return undefined;
    return {
      path: request.path,
      headers: {
        accept: same ? repeatable(raw, EMPTY).headers["accept"]! : JSON_TYPE,
        "content-type": JSON_TYPE,
      },
      body: new TextEncoder().encode(JSON.stringify(request.fields)),
    };
  }
}

const JSON_TYPE = "application/json";
const EMPTY = new Uint8Array();

/** Returns the fields that resume the request without the store. */
export function stateOf(
  inFlight: Pick<InFlight, "seed" | "rows" | "clip"> | undefined,
): InterruptedState | undefined {
  if (inFlight === undefined) return undefined;
  const rows = inFlight.rows();
  const clip = inFlight.clip?.();
  return {
    seed: inFlight.seed,
    images: rows === undefined ? [] : [{ prefix: gridFields(rows) }],
    ...(clip && { clips: [{ clip: clipFields(clip) }] }),
  };
}
