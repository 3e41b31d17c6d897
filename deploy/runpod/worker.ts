/**
 * The worker of a RunPod queue: takes jobs while there is room, runs them as
 * requests, delivers their results.
 *
 * ```text
 * take ─▶ run ─▶ deliver        as many at once as the model has rows
 *          ▲
 * stop ────┘ within a step      alive ─▶ every ten seconds, from another thread
 * ```
 *
 * After a shutdown signal it takes no more jobs, lets running ones finish, and
 * returns the others as a retryable error with their resume state.
 *
 * @module
 */

import type { Delay } from "../../lib/async/delay.ts";
import { Notifier } from "../../lib/async/notifier.ts";
import { type RunpodApi, RunpodError, type TakenJob } from "./api.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { JobRequest } from "./job_input.ts";
import type { JobInFlight } from "./job_server.ts";
import { type JobResult, withStop } from "./job_result.ts";
import { type JobRunOptions, type RanJob, readJob, runJob } from "./job_run.ts";

/** Options of a worker. */
export interface RunpodWorkerOptions extends JobRunOptions {
  /** Client of RunPod's API. */
  readonly api: RunpodApi;
  /** Starts the heartbeat, together with the worker. */
  readonly startHeartbeat: () => Heartbeat | undefined;
  /** Rows that the language model runs together. */
  readonly rows: number;
  /** Returns true while models can be used. */
  readonly isHealthy: () => boolean;
  /** Waits for a duration. */
  readonly delay: Delay;
}

/** A running job, as a stopping server needs it. */
export interface ResumableJob {
  /** Returns the remaining milliseconds; undefined if they are unknown. */
  readonly remainingMs: () => number | undefined;
  /** Returns the job to the queue; repeated calls do nothing. */
  readonly interrupt: () => void;
}

/** A job that is being executed. */
interface Run {
  readonly abort: AbortController;
  /** Rows that it may take. */
  rows: number;
  /** True if it was canceled. */
  canceled: boolean;
  /** Request in flight; undefined until its function starts. */
  inFlight: JobInFlight | undefined;
}

/** Rows of a job whose input is not parsed yet: a guided picture. */
const UNREAD_ROWS = 2;

/** Pause between two polls that were not held open. */
const IDLE_MS = 100;
const STOP_IDLE_MS = 1000;

/** Pause after RunPod responds with 429. */
const BUSY_MS = 5000;

/** Pauses after failures in a row. */
const FAILURE_MS = [1000, 1000, 2000, 3000, 5000, 8000];

/** Unexpected errors in a row that make the worker unhealthy. */
const MAX_INTERNAL = 3;

const TOO_MANY = 429;

/** Name of the notification that a job has ended. */
const ENDED = "ended";

/** A worker that takes and runs jobs. */
export class RunpodWorker implements AsyncDisposable {
  readonly #options: RunpodWorkerOptions;
  readonly #running = new Map<string, Run>();
  readonly #ends = new Map<string, Promise<void>>();
  readonly #notifier = new Notifier();
  /** Aborts when the worker stops taking jobs. */
  readonly #stop = new AbortController();
  /** Aborts when all jobs have ended. */
  readonly #end = new AbortController();
  /** Aborts when all waits end. */
  readonly #hurry = new AbortController();
  #heartbeat: Heartbeat | undefined;
  #taking: Promise<void> = Promise.resolve();
  #stopping: Promise<void> = Promise.resolve();
  #internal = 0;

  /** Creates an idle worker; see {@linkcode start}. */
  constructor(options: RunpodWorkerOptions) {
    this.#options = options;
  }

  /** Number of the running jobs. */
  get size(): number {
    return this.#running.size;
  }

  /** True if it takes jobs, or will. */
  get takesJobs(): boolean {
    return !this.#stop.signal.aborted;
  }

  /** Starts to take jobs; called once models are ready. */
  start(): void {
    if (!this.takesJobs) return;
    this.#heartbeat = this.#options.startHeartbeat();
    this.#taking = this.#takeLoop();
    if (this.#options.api.hasStops) this.#stopping = this.#stopLoop();
  }

  /** Requests of the running jobs, each until it is delivered. */
  get works(): ResumableJob[] {
    return [...this.#running.values()].map(({ abort, inFlight }) => ({
      remainingMs: () =>
        abort.signal.aborted ? undefined : inFlight?.remainingMs(),
      interrupt: () => interrupt(abort),
    }));
  }

  /** Stops taking jobs. */
  drain(): void {
    this.#stop.abort();
  }

  /** Stops taking jobs; resolves when the running ones are delivered. */
  async shutdown(): Promise<void> {
    this.drain();
    await this.#taking;
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
    this.#end.abort();
    await this.#stopping;
  }

  /** Interrupts the running jobs and returns them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#hurry.abort();
    for (const { abort } of this.#running.values()) interrupt(abort);
    await this.shutdown();
    await this.#heartbeat?.[Symbol.asyncDispose]();
  }

  /** Polls for jobs whenever there is room. */
  async #takeLoop(): Promise<void> {
    const { signal } = this.#stop;
    await this.#repeat(signal, IDLE_MS, async () => {
      const count = this.#room();
      if (count === 0) {
        await this.#notifier.next(ENDED, signal);
        return true;
      }
      const busy = this.#running.size > 0;
      const jobs = await this.#options.api.take(count, busy, signal);
      for (const job of jobs) this.#take(job);
      return jobs.length > 0;
    });
  }

  /** Polls for canceled jobs, also while the last ones run. */
  async #stopLoop(): Promise<void> {
    const { signal } = this.#end;
    await this.#repeat(signal, STOP_IDLE_MS, async () => {
      const ids = await this.#options.api.stops(signal);
      for (const id of ids) this.#cancel(id);
      return ids.length > 0;
    });
  }

  /** @param ask Returns true to poll again at once. */
  async #repeat(
    signal: AbortSignal,
    idleMs: number,
    ask: () => Promise<boolean>,
  ): Promise<void> {
    const { delay, onFailure } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const more = await ask();
        failures = 0;
        if (!more) await delay(idleMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        // The poll was held open to its end: another follows.
        if (isLate(error)) continue;
        const tooMany = error instanceof RunpodError &&
          error.status === TOO_MANY;
        if (!tooMany) onFailure(error);
        const waits = FAILURE_MS[Math.min(failures++, FAILURE_MS.length - 1)]!;
        await delay(tooMany ? BUSY_MS : waits, signal);
      }
    }
  }

  /** Returns the number of jobs that fit, if each draws a guided picture. */
  #room(): number {
    if (this.#running.size === 0) {
      return Math.max(1, Math.floor(this.#options.rows / UNREAD_ROWS));
    }
    const taken = [...this.#running.values()]
      .reduce((sum, { rows }) => sum + rows, 0);
    const free = Math.max(0, this.#options.rows - taken);
    return Math.floor(free / UNREAD_ROWS);
  }

  #take(job: TakenJob): void {
    // A repeated delivery of a running job.
    if (this.#running.has(job.id)) return;
    const run: Run = {
      abort: new AbortController(),
      rows: UNREAD_ROWS,
      canceled: false,
      inFlight: undefined,
    };
    this.#running.set(job.id, run);
    this.#sendHeartbeat();
    const ended = this.#run(job, run)
      .catch(this.#options.onFailure)
      .finally(() => {
        this.#running.delete(job.id);
        this.#ends.delete(job.id);
        this.#sendHeartbeat();
        this.#notifier.notify(ENDED);
      });
    this.#ends.set(job.id, ended);
    // A job that comes during the shutdown is returned at once.
    if (this.#hurry.signal.aborted) run.abort.abort();
  }

  async #run(job: TakenJob, run: Run): Promise<void> {
    const request = readJob(job, this.#options.server);
    if (!isRequest(request)) return await this.#handIn(job.id, run, request);
    run.rows = request.rows;
    const watch = {
      signal: run.abort.signal,
      inFlight: (inFlight: JobInFlight) => void (run.inFlight = inFlight),
    };
    const ran = await runJob(job.id, request, watch, this.#options);
    await this.#handIn(job.id, run, ran);
  }

  async #handIn(
    id: string,
    run: Run,
    result: JobResult & Partial<RanJob>,
  ): Promise<void> {
    if (run.canceled) return;
    this.#internal = result.problem === "internal" ? this.#internal + 1 : 0;
    const ill = this.#internal >= MAX_INTERNAL || !this.#options.isHealthy();
    // A fresh worker may succeed.
    if (ill) this.#stop.abort();
    const { text } = ill ? withStop(result) : result;
    const streamed = result.streamed ?? false;
    const { api } = this.#options;
    await api.finish(id, text, streamed, this.#hurry.signal);
  }

  #cancel(id: string): void {
    const run = this.#running.get(id);
    if (run === undefined) return;
    run.canceled = true;
    run.abort.abort(new DOMException("the job is canceled", "AbortError"));
  }

  #sendHeartbeat(): void {
    this.#heartbeat?.send([...this.#running.keys()]);
  }
}

/** Interrupts a job; a second call does nothing. */
function interrupt(abort: AbortController): void {
  abort.abort(new DOMException("the worker is shutting down", "AbortError"));
}

function isRequest(found: JobRequest | JobResult): found is JobRequest {
  return "path" in found;
}

/** Returns true if a poll timed out. */
function isLate(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
