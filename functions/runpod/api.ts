/**
 * RunPod's side of a queue, as its own SDK for Python (1.12) talks to it; nothing
 * else documents it.
 *
 * ```text
 * GET  …/job-take/{worker}?…&job_in_progress=0|1     a job, or none: 204, 400
 * GET  …/job-take-batch/{worker}?…&batch_size=n&…    several
 * GET  …/job-stop/{worker}?…                         names of jobs to stop
 * POST …/job-done/{worker}/{job}?…&isStream=…        an answer, or progress
 * POST …/job-stream/{worker}/{job}?…&isStream=false  a part of an answer
 * ```
 *
 * The two that ask are held open by RunPod until there is something to say.
 *
 * @module
 */

import { type Pause, pause } from "../jobs/pause.ts";
import { within } from "./deadline.ts";
import type { RunpodPlace } from "./variables.ts";

/** Sends a request. */
export type Send = (request: Request) => Promise<Response>;

/** A job, as it is handed out. */
export interface TakenJob {
  /** Its name. */
  readonly id: string;
  /** What is asked; undefined where nothing is. */
  readonly input: unknown;
}

/** RunPod wants to be left alone for a while, or does not answer as it should. */
export class RunpodError extends Error {
  /** Says what came back. */
  constructor(
    verb: string,
    /** HTTP status. */
    readonly status: number,
  ) {
    super(`Cannot ${verb}: RunPod answers ${status}`);
    this.name = "RunpodError";
  }
}

/** How calls are made. */
export interface RunpodApiOptions {
  /** Sends a request. */
  readonly send: Send;
  /** How time passes. */
  readonly pause: Pause;
}

/** How long RunPod may hold a question open. */
const POLL_MS = 90_000;

/** How long it may take to take an answer. */
const POST_MS = 60_000;

/** Pauses between attempts to hand something in, in seconds. */
const PAUSES_S = [1, 1, 2, 3, 5, 8, 13];

/** Statuses that say "later", beside those of a server that fails. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** Calls to RunPod. */
export class RunpodApi {
  readonly #place: RunpodPlace;
  readonly #send: Send;
  readonly #pause: Pause;

  /** Calls nothing yet. */
  constructor(
    place: RunpodPlace,
    options: RunpodApiOptions = { send: fetch, pause },
  ) {
    this.#place = place;
    this.#send = options.send;
    this.#pause = options.pause;
  }

  /** Whether RunPod can be asked what to stop. */
  get hasStops(): boolean {
    return this.#place.takeUrl.includes("/job-take/");
  }

  /**
   * Jobs, at most `count`; none when there are none.
   *
   * @param busy Whether jobs run here.
   * @throws {RunpodError} When RunPod does not answer as it should.
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
    const found = await this.#ask("take jobs", url, signal);
    return (Array.isArray(found) ? found : [found]).flatMap(jobIn);
  }

  /**
   * Names of jobs to stop.
   *
   * @throws {RunpodError} When RunPod does not answer as it should.
   */
  async stops(signal: AbortSignal): Promise<string[]> {
    const url = this.#place.takeUrl.replace("/job-take/", "/job-stop/");
    const found = await this.#ask("ask what to stop", url, signal);
    const names = isRecord(found) ? found["jobsToStop"] : undefined;
    return Array.isArray(names)
      ? names.filter((name) => typeof name === "string")
      : [];
  }

  /**
   * Hands in what came of a job; tries again for half a minute.
   *
   * @param text JSON.
   * @param streamed Whether parts of it went before.
   * @param hurry Aborts when there is time for one more attempt only.
   * @throws When RunPod does not take it.
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
   * Hands in a part of an answer; tries again as `finish` does.
   *
   * @param text JSON.
   * @throws When RunPod does not take it.
   */
  async stream(id: string, text: string, hurry: AbortSignal): Promise<void> {
    const { streamUrl } = this.#place;
    if (streamUrl === undefined) return;
    await this.#insist(this.#urlOf(streamUrl, id, false), id, text, hurry);
  }

  /**
   * Says how far a job is, once: the next time it is further.
   *
   * @param text JSON.
   * @throws When RunPod does not take it.
   */
  async progress(id: string, text: string): Promise<void> {
    await this.#post(this.#urlOf(this.#place.outputUrl, id, false), id, text);
  }

  #urlOf(template: string, id: string, streamed: boolean): string {
    const url = template.replaceAll("$ID", encodeURIComponent(id));
    return withQuery(url, `isStream=${streamed}`);
  }

  async #ask(
    verb: string,
    url: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    return await within(POLL_MS, signal, this.#pause, async (signal) => {
      const headers = { ...this.#headers, "content-type": "application/json" };
      const response = await this.#send(
        new Request(url, { headers, signal }),
      );
      // Workers that RunPod holds asleep are told 400 for nothing to do.
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
        await this.#pause(1000 * seconds, hurry);
      }
    }
  }

  async #post(url: string, id: string, body: string): Promise<void> {
    const { signal } = new AbortController();
    await within(POST_MS, signal, this.#pause, async (signal) => {
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
        throw new RunpodError("hand in an answer", response.status);
      }
    });
  }

  get #headers(): Record<string, string> {
    // As it is, without "Bearer".
    return { authorization: this.#place.key };
  }
}

/** A URL with one more thing in its query. */
export function withQuery(url: string, query: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

/** What cannot be said to anybody, for lack of a name, is left out. */
function jobIn(found: unknown): TakenJob[] {
  if (!isRecord(found)) return [];
  const { id, input } = found;
  return typeof id === "string" && id !== "" ? [{ id, input }] : [];
}

/** Whether `value` is an object with names. */
export function isRecord(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether asking again cannot help. */
function isFinal(error: unknown): boolean {
  return error instanceof RunpodError && error.status < 500 &&
    !LATER.has(error.status);
}
