/**
 * The client of RunPod's queue API, after RunPod's SDK for Python (1.12); there
 * is no other documentation.
 *
 * ```text
 * GET  …/job-take/{worker}?…&job_in_progress=0|1     a job, or none: 204, 400
 * GET  …/job-take-batch/{worker}?…&batch_size=n&…    several
 * GET  …/job-stop/{worker}?…                         names of jobs to stop
 * POST …/job-done/{worker}/{job}?…&isStream=…        an answer, or progress
 * POST …/job-stream/{worker}/{job}?…&isStream=false  a part of an answer
 * ```
 *
 * RunPod holds both GET requests for jobs open until there is one.
 *
 * @module
 */

import { type Delay, delay } from "../../lib/async/delay.ts";
import { within } from "./deadline.ts";

/** The URLs of a queue, and the worker's credentials. */
export interface RunpodPlace {
  /** Id of this worker. */
  readonly workerId: string;
  /** API key of every call. */
  readonly key: string;
  /** URL that jobs are taken from. */
  readonly takeUrl: string;
  /** URL of answers, with `$ID` for the job. */
  readonly outputUrl: string;
  /** URL of answers' parts; undefined for none. */
  readonly streamUrl: string | undefined;
  /** URL of pings; undefined for none. */
  readonly pingUrl: string | undefined;
  /** Interval between two pings, in milliseconds. */
  readonly pingMs: number;
}

/** Sends a request. */
export type Send = (request: Request) => Promise<Response>;

/** A job, as the queue delivers it. */
export interface TakenJob {
  /** Id of the job. */
  readonly id: string;
  /** Input of the job; undefined for none. */
  readonly input: unknown;
}

/** The error of a response of RunPod that is not expected. */
export class RunpodError extends Error {
  /** Creates the error from RunPod's answer. */
  constructor(
    verb: string,
    /** HTTP status of the answer. */
    readonly status: number,
  ) {
    super(`Cannot ${verb}: RunPod responds with status ${status}`);
    this.name = "RunpodError";
  }
}

/** Options of RunPod's client. */
export interface RunpodApiOptions {
  /** Sends a request. */
  readonly send: Send;
  /** Waits for a duration. */
  readonly delay: Delay;
}

/** Timeout of a long poll. */
const POLL_MS = 90_000;

/** Timeout of a result's delivery. */
const POST_MS = 60_000;

/** Pauses between attempts to deliver a result, in seconds. */
const PAUSES_S = [1, 1, 2, 3, 5, 8, 13];

/** Statuses after which a request is retried, besides server errors. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** A client of RunPod's API. */
export class RunpodApi {
  readonly #place: RunpodPlace;
  readonly #send: Send;
  readonly #delay: Delay;

  /** Creates a client; sends no request. */
  constructor(
    place: RunpodPlace,
    options: RunpodApiOptions = { send: fetch, delay: delay },
  ) {
    this.#place = place;
    this.#send = options.send;
    this.#delay = options.delay;
  }

  /** True if RunPod reports the jobs to stop. */
  get hasStops(): boolean {
    return this.#place.takeUrl.includes("/job-take/");
  }

  /**
   * Takes up to `count` jobs; none if the queue is empty.
   *
   * @param busy True if jobs run here.
   * @throws {RunpodError} If RunPod responds in an unexpected way.
   */
  async take(
    count: number,
    busy: boolean,
    signal: AbortSignal,
  ): Promise<TakenJob[]> {
    const base = count > 1
      ? withQuery(
        this.#place.takeUrl.replace("/job-take/", "/job-take-batch/"),
        `batch_size=${count}`,
      )
      : this.#place.takeUrl;
    const url = withQuery(base, `job_in_progress=${busy ? 1 : 0}`);
    const found = await this.#poll("take jobs", url, signal);
    return (Array.isArray(found) ? found : [found]).flatMap(jobIn);
  }

  /**
   * Returns the ids of jobs to stop.
   *
   * @throws {RunpodError} If RunPod responds in an unexpected way.
   */
  async stops(signal: AbortSignal): Promise<string[]> {
    const url = this.#place.takeUrl.replace("/job-take/", "/job-stop/");
    const found = await this.#poll("query canceled jobs", url, signal);
    const names = isRecord(found) ? found["jobsToStop"] : undefined;
    return Array.isArray(names)
      ? names.filter((name) => typeof name === "string")
      : [];
  }

  /**
   * Delivers the result of a job, with retries for half a minute.
   *
   * @param text Result in JSON.
   * @param streamed True if parts of it were streamed.
   * @param hurry Aborts when only one more attempt has time.
   * @throws If RunPod does not accept it.
   */
  async finish(
    id: string,
    text: string,
    streamed: boolean,
    hurry: AbortSignal,
  ): Promise<void> {
    const url = this.#urlOf(this.#place.outputUrl, id, streamed);
    await this.#insist(url, id, text, hurry);
  }

  /**
   * Delivers a part of an answer, with retries as in `finish`.
   *
   * @param text Part in JSON.
   * @throws If RunPod does not accept it.
   */
  async stream(id: string, text: string, hurry: AbortSignal): Promise<void> {
    const { streamUrl } = this.#place;
    if (streamUrl === undefined) return;
    await this.#insist(this.#urlOf(streamUrl, id, false), id, text, hurry);
  }

  /**
   * Reports the progress of a job, without retries: the next report is newer.
   *
   * @param text Progress in JSON.
   * @throws If RunPod does not accept it.
   */
  async progress(id: string, text: string): Promise<void> {
    await this.#post(this.#urlOf(this.#place.outputUrl, id, false), id, text);
  }

  #urlOf(template: string, id: string, streamed: boolean): string {
    const url = template.replaceAll("$ID", encodeURIComponent(id));
    return withQuery(url, `isStream=${streamed}`);
  }

  async #poll(
    verb: string,
    url: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    return await within(POLL_MS, signal, this.#delay, async (signal) => {
      const headers = { ...this.#headers, "content-type": "application/json" };
      const response = await this.#send(
        new Request(url, { headers, signal }),
      );
      // RunPod responds with 400 to idle workers that it holds asleep.
      if (response.status === 204 || response.status === 400) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok) {
        await response.body?.cancel();
        throw new RunpodError(verb, response.status);
      }
      const text = await response.text();
      return text.trim() === "" ? undefined : JSON.parse(text);
    });
  }

  async #insist(
    url: string,
    id: string,
    text: string,
    hurry: AbortSignal,
  ): Promise<void> {
    for (const seconds of [...PAUSES_S, undefined]) {
      const last = seconds === undefined || hurry.aborted;
      try {
        return await this.#post(url, id, text);
      } catch (error) {
        if (last || isFinal(error)) throw error;
        await this.#delay(1000 * seconds, hurry);
      }
    }
  }

  async #post(url: string, id: string, body: string): Promise<void> {
    const { signal } = new AbortController();
    await within(POST_MS, signal, this.#delay, async (signal) => {
      const headers = {
        ...this.#headers,
        charset: "utf-8",
        "content-type": "application/x-www-form-urlencoded",
        "x-request-id": id,
      };
      const response = await this.#send(
        new Request(url, { method: "POST", headers, body, signal }),
      );
      await response.body?.cancel();
      if (!response.ok) {
        throw new RunpodError("send a result", response.status);
      }
    });
  }

  get #headers(): Record<string, string> {
    // The bare key, without "Bearer".
    return { authorization: this.#place.key };
  }
}

/** Returns a URL with one more item in its query. */
export function withQuery(url: string, query: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

/** Returns the job of an answer; one without an id cannot be answered. */
function jobIn(found: unknown): TakenJob[] {
  if (!isRecord(found)) return [];
  const { id, input } = found;
  return typeof id === "string" && id !== "" ? [{ id, input }] : [];
}

/** Returns true if `value` is an object with string keys. */
export function isRecord(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns true if a retry cannot help. */
function isFinal(error: unknown): boolean {
  return error instanceof RunpodError && error.status < 500 &&
    !LATER.has(error.status);
}
