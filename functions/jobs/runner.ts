/**
 * The runner: executes jobs, each once, as requests to the same handlers.
 *
 * Jobs are stored before they start, and events before they are sent. After the
 * server stops, the next one runs the jobs that waited, and those that ran are
 * marked interrupted: their clients may resume them.
 *
 * @module
 */

import { ConcurrencyLimiter } from "../../lib/async/concurrency_limiter.ts";
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
import type { Delay } from "../../lib/async/delay.ts";
import type { Readers } from "./store/readers.ts";
import { Recorder } from "./recorder.ts";
import { jobRefusal } from "./refusal.ts";
import { accept, requestFrom, type Run, type Stop } from "./run.ts";

/** The parts that a job's call adds to a request. */
export type JobCall = Omit<Call, "signal">;

/** Options of the runner. */
export interface RunnerOptions {
  /** Answers a request, also on errors; its signal ends it early. */
  readonly execute: (request: Request, call: JobCall) => Promise<Response>;
  /**
   * Maximum running and queued jobs of one caller; all callers together have a
   * third more, at least one.
   */
  readonly limit: number;
  /** A clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Called with every status of a job when it is stored. */
  readonly onStatus: (job: Job) => void;
  /** Called with errors of writing to the store. */
  readonly onFailure: (error: unknown) => void;
  /** Waits for a duration. */
  readonly delay: Delay;
  /** `PUBLIC_URL`, for the pages of problems; empty if unset. */
  readonly pageBase: string;
}

/** The submission of a job. */
export interface JobOrder extends Omit<NewJob, "id" | "createdAt" | "seed"> {
  /** Id that the caller chose; undefined for a new one. */
  readonly id?: string;
  /** Called with the id in the transaction that stores the job. */
  readonly link: (id: string) => void;
  /**
   * Caller for limits and fair scheduling; its principal by default, as for
   * jobs of an earlier server. See `caller.ts`.
   */
  readonly caller?: string;
}

/** A new job, the existing one of its id, or the refusal of its request. */
export type Submitted =
  | { readonly type: "job" | "existing"; readonly job: Job }
  | { readonly type: "refused"; readonly answer: Response };

/** Seconds until a retry after an overload without Retry-After. */
const RETRY_SECONDS = 1;

/** A runner of jobs. */
export class JobRunner implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<string, Run>();
  /** Slots of callers, one per run. */
  readonly #capacity: ConcurrencyLimiter;
  readonly #close = new AbortController();
  readonly #followers: Followers;
  /** True if the runner starts no jobs. */
  #draining = false;

  /** Creates an idle runner; see {@linkcode recover}. */
  constructor(store: JobStore, options: RunnerOptions) {
    this.#store = store;
    this.#options = options;
    this.#capacity = new ConcurrencyLimiter(options.limit, options.now);
    this.#followers = new Followers(store, this.#close.signal);
  }

  /** Connections that follow jobs. */
  get readers(): Readers {
    return this.#followers.readers;
  }

  /** Number of running and queued jobs. */
  get size(): number {
    return this.#runs.size;
  }

  /**
   * Recovers jobs without a run: those of an earlier server, and those whose
   * change could not be stored. Jobs beyond a caller's limit are recovered
   * later.
   */
  recover(): void {
    if (this.#draining) return;
    for (const { id } of this.#store.withStatus("running")) {
      if (!this.#runs.has(id)) this.#end(id, interruption(this.#options.now()));
    }
    for (const job of this.#store.withStatus("queued")) {
      const { id, principal } = job;
      if (this.#runs.has(id) || !this.#capacity.fits(principal)) continue;
      this.#start(job, principal);
    }
  }

  /**
   * Submits a job, unless there is one of its id. A request that is refused
   * before its handler accepts it becomes no job, at any delay.
   *
   * @throws {DrainingError} If the server is stopping.
   * @throws {OverloadedError} If too many jobs are running or queued.
   */
  async submit(submission: JobOrder): Promise<Submitted> {
    const { caller = submission.principal, ...rest } = submission;
    const { id = `job-${crypto.randomUUID()}`, link, ...order } = rest;
    // No await between the last lookup and the insertion.
    for (let run; (run = this.#undecided(id)) !== undefined;) {
      await run.admission;
    }
    const existing = this.#store.find(id);
    if (existing !== undefined) return { type: "existing", job: existing };
    this.#checkRoom(caller);
    const createdAt = this.#options.now();
    const seed = randomSeed();
    this.#store.transact(() => {
      this.#store.insert({ ...order, id, createdAt, seed });
      link(id);
    });
    const refusal = Promise.withResolvers<Response | undefined>();
    const job = this.#store.find(id)!;
    this.#start(job, caller, refusal, true);
    const answer = await refusal.promise;
    return answer === undefined
      ? { type: "job", job: this.#store.find(id) ?? job }
      : { type: "refused", answer };
  }

  /** Returns the job of this id, once it is accepted. */
  async existing(id: string): Promise<Job | undefined> {
    for (let run; (run = this.#undecided(id)) !== undefined;) {
      await run.admission;
    }
    return this.#store.find(id);
  }

  /** Resolves when the job has ended, the signal aborts, or no job runs. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    await this.#followers.settled(id, signal);
  }

  /** Yields events of a job after one, until {@linkcode settled} resolves. */
  events(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    return this.#followers.events(id, after, signal);
  }

  /** Cancels a job, unless it has ended; resolves when it has. */
  async cancel(id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run !== undefined) return await this.#stop(run, "canceled");
    const job = this.#store.find(id);
    if (job === undefined) return;
    if (hasEnded(job) && job.status !== "interrupted") return;
    this.#end(id, cancellation(this.#options.now()));
  }

  /**
   * Resumes a job from its last state.
   *
   * @param caller Caller whose limit it counts against.
   * @throws {JobConflictError} If it was not interrupted.
   * @throws {DrainingError} If the server is stopping.
   * @throws {OverloadedError} If too many jobs are running or queued.
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

  /** Requests of the running jobs. */
  get works(): ResumableRequest[] {
    return [...this.#runs.values()].map((run) => ({
      remainingMs: () =>
        run.stop === undefined ? run.inFlight?.remainingMs() : undefined,
      interrupt: () => this.#interrupt(run),
    }));
  }

  /** Stops starting jobs; queued ones wait for the next server. */
  drain(): void {
    this.#draining = true;
    for (const [id, run] of this.#runs) {
      const waits = this.#store.find(id)?.status === "queued";
      if (waits) this.#interrupt(run);
    }
  }

  /** Stops all jobs: running ones are marked interrupted, queued ones stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    await Promise.all(
      [...this.#runs.values()].map((run) => this.#stop(run, "interrupted")),
    );
    this.#close.abort();
  }

  /** Returns the run of a job that may still be refused. */
  #undecided(id: string): Run | undefined {
    const run = this.#runs.get(id);
    return run?.refusable && this.#store.find(id) !== undefined
      ? run
      : undefined;
  }

  #checkRoom(caller: string): void {
    if (this.#draining) throw new DrainingError();
    if (this.#capacity.fits(caller)) return;
    throw new OverloadedError(this.#capacity.retryAfterSeconds(caller));
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
      onAdmission: refusal.resolve,
      admission: refusal.promise,
      refusable,
      inFlight: undefined,
    };
    this.#runs.set(job.id, run);
    const enteredAt = this.#capacity.enter(caller);
    const { onFailure, now, pageBase } = this.#options;
    this.#run(job, run).catch((error) => {
      onFailure(error);
      this.#end(job.id, failure(error, job, { finishedAt: now(), pageBase }));
    }).catch(onFailure).finally(() => {
      if (run.refusable) this.#capacity.reject(caller);
      else this.#capacity.leave(caller, enteredAt);
      // It may have ended, been delivered and been resumed meanwhile.
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
      const retryAfter = await this.#conclude(job, run, response, recorder);
      if (retryAfter === undefined) return;
      await this.#options.delay(1000 * retryAfter, signal);
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
      resumeStates: this.#store.resumeStatesOf(id),
      observer: {
        accepted: () => accept(run),
        inFlight: (inFlight) => void (run.inFlight = inFlight),
        event: (event) =>
          recorder.observe(event, () => {
            if (event.event !== "started") return;
            this.#options.onStatus(this.#store.find(id)!);
          }),
        keep: (image, resumeState) => recorder.keep(image, resumeState),
      },
      watched: () => this.readers.of(id) > 0,
    };
  }

  /** @returns Seconds until a retry; undefined for a settled job. */
  async #conclude(
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
      run.onAdmission(
        await jobRefusal(
          response,
          () => this.#capacity.retryAfterSeconds(run.caller),
        ),
      );
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

  /**
   * Ends a stopped job; one that never ran stays queued for the next server.
   */
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
