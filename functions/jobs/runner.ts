/**
 * Runs jobs, each once, as requests to the same handlers that answer clients.
 *
 * What a job is told to do is written down before it starts, and what happens
 * before anybody hears of it. When the server stops, those that wait are run by
 * the next one, and those that ran are marked interrupted: whoever asked decides
 * whether they go on.
 *
 * @module
 */

import { FairShare } from "../../lib/async/fair_share.ts";
import { OverloadedError } from "../../lib/errors.ts";
import type { Call } from "../http/call.ts";
import type { ResumableRequest } from "../middleware/drain.ts";
import type { StoredEvent } from "../http/sse.ts";
import { DrainingError, JobConflictError } from "../http/errors/errors.ts";
import { randomSeed } from "../inference/generation_params.ts";
import { Followers } from "./followers.ts";
import { hasEnded, isResumable, type Job } from "./job.ts";
import { answered, cancellation, failure, interruption } from "./job_end.ts";
import type { JobEnd, JobStore, NewJob } from "./store/job_store.ts";
import type { Pause } from "./pause.ts";
import type { Readers } from "./store/readers.ts";
import { Recorder } from "./recorder.ts";
import { accept, requestFrom, type Run, type Stop } from "./run.ts";

/** What a job's call adds to a request. */
export type JobCall = Omit<Call, "signal">;

/** How jobs run. */
export interface RunnerOptions {
  /** Answers a request, whatever happens; its signal ends it early. */
  readonly execute: (request: Request, call: JobCall) => Promise<Response>;
  /**
   * Jobs of one caller that run or wait at once; a third more, and one at least,
   * may in all.
   */
  readonly limit: number;
  /** A clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Told of every status that a job takes, as it is written down. */
  readonly onStatus: (job: Job) => void;
  /** Told what nobody foresaw: what happened could not be written down. */
  readonly onFailure: (error: unknown) => void;
  /** How time passes. */
  readonly pause: Pause;
  /** `PUBLIC_URL`, for the pages of problems; empty where it is not set. */
  readonly pageBase: string;
}

/** What is asked for. */
export interface JobOrder extends Omit<NewJob, "id" | "createdAt" | "seed"> {
  /** Its name, if the caller chose it; undefined for a new one. */
  readonly id?: string;
  /** Told its name as it is written down, in the same transaction. */
  readonly link: (id: string) => void;
  /**
   * The caller whose place and turns it takes; its principal when left out, as
   * for jobs that an earlier server left. See `caller.ts`.
   */
  readonly caller?: string;
}

/** A job, the one that has its name already, or the refusal of what it asked. */
export type Submitted =
  | { readonly type: "job" | "existing"; readonly job: Job }
  | { readonly type: "refused"; readonly answer: Response };

/** How long a refusal may take and still be told as one. */
const REFUSAL_MS = 500;

/** When what was refused for lack of room is tried again, unless told. */
const RETRY_SECONDS = 1;

/** Runs jobs. */
export class JobRunner implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<string, Run>();
  /** One place a run. */
  readonly #places: FairShare;
  readonly #close = new AbortController();
  readonly #followers: Followers;
  /** Whether nothing more is started. */
  #draining = false;

  /** Starts nothing; see {@linkcode recover}. */
  constructor(store: JobStore, options: RunnerOptions) {
    this.#store = store;
    this.#options = options;
    this.#places = new FairShare(options.limit, 1);
    this.#followers = new Followers(store, this.#close.signal);
  }

  /** Connections that follow jobs. */
  get readers(): Readers {
    return this.#followers.readers;
  }

  /** Jobs that run or wait. */
  get size(): number {
    return this.#runs.size;
  }

  /**
   * Takes over jobs that nobody runs: what a server before this one left, and
   * what could not be written down. Those that are too many of one caller stay
   * for later.
   */
  recover(): void {
    if (this.#draining) return;
    for (const { id } of this.#store.withStatus("running")) {
      if (!this.#runs.has(id)) this.#end(id, interruption(this.#options.now()));
    }
    for (const job of this.#store.withStatus("queued")) {
      const { id, principal } = job;
      if (this.#runs.has(id) || !this.#places.fits(principal, 1)) continue;
      this.#start(job, principal);
    }
  }

  /**
   * Starts a job, unless there is one of its name. What is refused at once is
   * no job.
   *
   * @throws {DrainingError} When the server stops.
   * @throws {OverloadedError} When too many are under way.
   */
  async submit(order: JobOrder): Promise<Submitted> {
    const { caller = order.principal, ...rest } = order;
    const { id = `job-${crypto.randomUUID()}`, link, ...asked } = rest;
    // Nothing is awaited between the last look and the insertion.
    for (let run; (run = this.#undecided(id)) !== undefined;) await run.settled;
    const existing = this.#store.find(id);
    if (existing !== undefined) return { type: "existing", job: existing };
    this.#checkRoom(caller);
    const createdAt = this.#options.now();
    const seed = randomSeed();
    this.#store.transact(() => {
      this.#store.insert({ ...asked, id, createdAt, seed });
      link(id);
    });
    const refusal = Promise.withResolvers<Response | undefined>();
    const job = this.#store.find(id)!;
    const run = this.#start(job, caller, refusal, true);
    const decided = new AbortController();
    this.#options.pause(REFUSAL_MS, decided.signal).then(() => accept(run));
    const answer = await refusal.promise;
    decided.abort();
    return answer === undefined
      ? { type: "job", job: this.#store.find(id) ?? job }
      : { type: "refused", answer };
  }

  /** Returns the job of this name, once it is certain that it is one. */
  async existing(id: string): Promise<Job | undefined> {
    for (let run; (run = this.#undecided(id)) !== undefined;) await run.settled;
    return this.#store.find(id);
  }

  /** Comes when the job has ended, the signal aborts, or nothing runs any more. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    await this.#followers.settled(id, signal);
  }

  /** What happens to a job after an event, as long as {@linkcode settled} waits. */
  events(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    return this.#followers.events(id, after, signal);
  }

  /** Ends a job, unless it has ended. Comes when it is done. */
  async cancel(id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run !== undefined) return await this.#stop(run, "canceled");
    const job = this.#store.find(id);
    if (job === undefined) return;
    if (hasEnded(job) && job.status !== "interrupted") return;
    this.#end(id, cancellation(this.#options.now()));
  }

  /**
   * Lets a job go on from where it stopped.
   *
   * @param caller The caller whose place it takes.
   * @throws {JobConflictError} When it has not stopped half-way.
   * @throws {DrainingError} When the server stops.
   * @throws {OverloadedError} When too many are under way.
   */
  resume(job: Job, caller = job.principal): Job {
    if (!isResumable(job)) throw new JobConflictError(job.status);
    this.#checkRoom(caller);
    this.#store.requeue(job.id);
    const queued = this.#store.find(job.id)!;
    this.#options.onStatus(queued);
    this.#start(queued, caller);
    return queued;
  }

  /** Jobs that run. */
  get works(): ResumableRequest[] {
    return [...this.#runs.values()].map((run) => ({
      remainingMs: () =>
        run.stop === undefined ? run.inFlight?.remainingMs() : undefined,
      interrupt: () => this.#interrupt(run),
    }));
  }

  /** Starts nothing more; what waits is left waiting for the next server. */
  drain(): void {
    this.#draining = true;
    for (const [id, run] of this.#runs) {
      const waits = this.#store.find(id)?.status === "queued";
      if (waits) this.#interrupt(run);
    }
  }

  /** Stops all: what runs is marked interrupted, what waits is left waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    await Promise.all(
      [...this.#runs.values()].map((run) => this.#stop(run, "interrupted")),
    );
    this.#close.abort();
  }

  /** The run of a job that may still turn out to be refused. */
  #undecided(id: string): Run | undefined {
    const run = this.#runs.get(id);
    return run?.refusable && this.#store.find(id) !== undefined
      ? run
      : undefined;
  }

  #checkRoom(caller: string): void {
    if (this.#draining) throw new DrainingError();
    if (this.#places.fits(caller, 1)) return;
    throw new OverloadedError(RETRY_SECONDS);
  }

  #interrupt(run: Run): void {
    this.#stop(run, "interrupted").catch(this.#options.onFailure);
  }

  async #stop(run: Run, as: Stop): Promise<void> {
    run.stop ??= as;
    run.abort.abort(new DOMException(`the job is ${as}`, "AbortError"));
    await run.ended;
  }

  #start(
    job: Job,
    caller: string,
    refusal: PromiseWithResolvers<Response | undefined> = Promise
      .withResolvers(),
    refusable = false,
  ): Run {
    const ended = Promise.withResolvers<void>();
    const run: Run = {
      caller,
      abort: new AbortController(),
      stop: undefined,
      ended: ended.promise,
      settle: refusal.resolve,
      settled: refusal.promise,
      refusable,
      inFlight: undefined,
    };
    this.#runs.set(job.id, run);
    this.#places.take(caller, 1);
    const { onFailure, now, pageBase } = this.#options;
    this.#run(job, run).catch((error) => {
      onFailure(error);
      this.#end(job.id, failure(error, job, { finishedAt: now(), pageBase }));
    }).catch(onFailure).finally(() => {
      this.#places.release(caller, 1);
      // It may have ended, been told of and been resumed meanwhile.
      if (this.#runs.get(job.id) === run) this.#runs.delete(job.id);
      accept(run);
      this.#followers.end(job.id);
      ended.resolve();
    });
    return run;
  }

  async #run(job: Job, run: Run): Promise<void> {
    const { signal } = run.abort;
    for (;;) {
      const recorder = this.#recorder(job, run);
      const request = requestFrom(job, this.#store.requestOf(job.id), signal);
      const call = this.#call(job, run, recorder);
      const response = await this.#options.execute(request, call);
      const retryAfter = await this.#settle(job, run, response, recorder);
      if (retryAfter === undefined) return;
      await this.#options.pause(1000 * retryAfter, signal);
      if (run.stop !== undefined) return this.#endStopped(job.id, run.stop);
    }
  }

  #recorder(job: Job, run: Run): Recorder {
    const { id } = job;
    return new Recorder(this.#store, id, this.#options.now, (pictured) => {
      accept(run);
      if (pictured !== undefined) this.#followers.show(id, pictured);
      this.#followers.notify(id);
    });
  }

  #call({ id, seed }: Job, run: Run, recorder: Recorder): JobCall {
    return {
      id,
      seed,
      caller: run.caller,
      inFlight: (inFlight) => void (run.inFlight = inFlight),
      halfways: this.#store.halfwaysOf(id),
      observe: (event) =>
        recorder.observe(event, () => {
          if (event.event !== "started") return;
          this.#options.onStatus(this.#store.find(id)!);
        }),
      keep: (image, halfway) => recorder.keep(image, halfway),
      watched: () => this.readers.of(id) > 0,
    };
  }

  /** @returns When to try again, in seconds; undefined for what is settled. */
  async #settle(
    { id }: Job,
    run: Run,
    response: Response,
    { completed }: Recorder,
  ): Promise<number | undefined> {
    if (!response.ok && run.stop !== undefined) {
      await response.body?.cancel();
      this.#endStopped(id, run.stop);
      return;
    }
    if (!response.ok && run.refusable) {
      this.#store.remove(id);
      run.settle(response);
      return;
    }
    const end = await answered(response, completed, this.#options.now());
    const { status } = this.#store.find(id)!;
    if (end.error?.retryable && status === "queued") {
      const seconds = Number(response.headers.get("retry-after"));
      return Math.max(seconds, RETRY_SECONDS);
    }
    this.#end(id, end);
  }

  /** What never ran is left waiting for the next server. */
  #endStopped(id: string, stop: Stop): void {
    const now = this.#options.now();
    if (stop === "canceled") return this.#end(id, cancellation(now));
    const { status } = this.#store.find(id)!;
    if (status === "running") this.#end(id, interruption(now));
  }

  #end(id: string, end: JobEnd): void {
    this.#store.transact(() => {
      this.#store.end(id, end);
      this.#options.onStatus(this.#store.find(id)!);
    });
    this.#followers.end(id);
  }
}
