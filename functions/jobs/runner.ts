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

import { OverloadedError } from "../../lib/errors.ts";
import type { Call } from "../call.ts";
import type { StoredEvent } from "../events.ts";
import { JobConflictError } from "../refusals.ts";
import { randomSeed } from "../scene.ts";
import { Bells } from "./bells.ts";
import { hasEnded, isResumable, type Job } from "./job.ts";
import { answered, cancellation, interruption } from "./job_end.ts";
import type { JobEnd, JobStore, NewJob } from "./job_store.ts";
import { Recorder } from "./recorder.ts";

/** What a job's call adds to a request. */
export type JobCall = Omit<Call, "signal">;

/** How jobs run. */
export interface RunnerOptions {
  /** Answers a request, whatever happens; its signal ends it early. */
  readonly execute: (request: Request, call: JobCall) => Promise<Response>;
  /** Jobs that run or wait at once. */
  readonly limit: number;
  /** A clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Told of every status that a job takes, as it is written down. */
  readonly onStatus: (job: Job) => void;
  /** Told what nobody foresaw: what happened could not be written down. */
  readonly onFailure: (error: unknown) => void;
}

/** What is asked for. */
export interface JobOrder extends Omit<NewJob, "id" | "createdAt" | "seed"> {
  /** Its name, which is free; undefined for a new one. */
  readonly id?: string;
  /** Told its name as it is written down, in the same transaction. */
  readonly link: (id: string) => void;
}

/** A job, or the refusal of what it asked. */
export type Submitted =
  | { readonly type: "job"; readonly job: Job }
  | { readonly type: "refused"; readonly answer: Response };

/** Why a run stops before it is done. */
type Stop = "canceled" | "interrupted";

/** A job at work. */
interface Run {
  readonly abort: AbortController;
  /** Undefined while nothing stops it. */
  stop: Stop | undefined;
  readonly ended: Promise<void>;
  /** Given a refusal, or nothing once the job is accepted. */
  readonly settle: ((refusal: Response | undefined) => void) | undefined;
  /** Whether a refusal is still an answer and not the end of a job. */
  refusable: boolean;
}

/** How long a refusal may take and still be told as one. */
const REFUSAL_MS = 500;

/** When what was refused for lack of room is tried again, unless told. */
const RETRY_SECONDS = 1;

/** Events that are read at a time. */
const PAGE = 64;

/** Runs jobs. */
export class JobRunner implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<string, Run>();
  /** Rung when something happens to a job. */
  readonly #bells = new Bells();
  readonly #retries = new Set<ReturnType<typeof setTimeout>>();
  #closed = false;

  /** Starts nothing; see {@linkcode recover}. */
  constructor(store: JobStore, options: RunnerOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Jobs that run or wait. */
  get size(): number {
    return this.#runs.size;
  }

  /** Takes over what a server before this one left: once, at the start. */
  recover(): void {
    for (const job of this.#store.withStatus("running")) {
      this.#end(job.id, interruption(this.#options.now()));
    }
    for (const job of this.#store.withStatus("queued")) this.#start(job);
  }

  /**
   * Starts a job. What is refused at once is no job.
   *
   * @throws {OverloadedError} When too many are under way.
   */
  async submit(order: JobOrder): Promise<Submitted> {
    this.#checkRoom();
    const { id = `job-${crypto.randomUUID()}`, link, ...asked } = order;
    const createdAt = this.#options.now();
    const seed = randomSeed();
    this.#store.transact(() => {
      this.#store.insert({ ...asked, id, createdAt, seed });
      link(id);
    });
    const refusal = Promise.withResolvers<Response | undefined>();
    this.#start(this.#store.find(id)!, refusal.resolve);
    const run = this.#runs.get(id);
    const timer = setTimeout(() => {
      if (run !== undefined) run.refusable = false;
      refusal.resolve(undefined);
    }, REFUSAL_MS);
    const answer = await refusal.promise;
    clearTimeout(timer);
    return answer === undefined
      ? { type: "job", job: this.#store.find(id)! }
      : { type: "refused", answer };
  }

  /** Comes when the job has ended, or the signal aborts. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const job = this.#store.find(id);
      if (job === undefined || hasEnded(job) || signal.aborted) return;
      await this.#bells.next(id, signal);
    }
  }

  /** What happens to a job after an event, until it ends or the signal aborts. */
  async *events(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    for (let last = after;;) {
      const page = this.#store.eventsAfter(id, last, PAGE);
      yield* page;
      last = page.at(-1)?.id ?? last;
      if (page.length > 0) continue;
      const job = this.#store.find(id);
      if (job === undefined || hasEnded(job) || signal.aborted) return;
      await this.#bells.next(id, signal);
    }
  }

  /** Ends a job, unless it has ended. Comes when it is done. */
  async cancel(id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run !== undefined) return await this.#stop(run, "canceled");
    const job = this.#store.find(id);
    if (job === undefined || (hasEnded(job) && !isResumable(job))) return;
    this.#end(id, cancellation(this.#options.now()));
  }

  /**
   * Lets a job go on from where it stopped.
   *
   * @throws {JobConflictError} When it has not stopped half-way.
   * @throws {OverloadedError} When too many are under way.
   */
  resume(job: Job): Job {
    if (!isResumable(job)) throw new JobConflictError(job.status);
    this.#checkRoom();
    this.#store.requeue(job.id);
    const queued = this.#store.find(job.id)!;
    this.#options.onStatus(queued);
    this.#start(queued);
    return queued;
  }

  /** Stops all: what runs is marked interrupted, what waits is left waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const retry of this.#retries) clearTimeout(retry);
    await Promise.all(
      [...this.#runs.values()].map((run) => this.#stop(run, "interrupted")),
    );
  }

  #checkRoom(): void {
    if (!this.#closed && this.#runs.size < this.#options.limit) return;
    throw new OverloadedError(RETRY_SECONDS);
  }

  async #stop(run: Run, as: Stop): Promise<void> {
    run.stop ??= as;
    run.abort.abort(new DOMException(`the job is ${as}`, "AbortError"));
    await run.ended;
  }

  #start(job: Job, settle?: (refusal: Response | undefined) => void): void {
    const ended = Promise.withResolvers<void>();
    const run: Run = {
      abort: new AbortController(),
      stop: undefined,
      ended: ended.promise,
      settle,
      refusable: settle !== undefined,
    };
    this.#runs.set(job.id, run);
    this.#run(job, run).catch(this.#options.onFailure).finally(() => {
      this.#runs.delete(job.id);
      run.settle?.(undefined);
      this.#bells.ring(job.id);
      ended.resolve();
    });
  }

  async #run(job: Job, run: Run): Promise<void> {
    const { id, seed } = job;
    const { execute, now, onStatus } = this.#options;
    const recorder = new Recorder(this.#store, id, now, () => {
      run.refusable = false;
      run.settle?.(undefined);
      this.#bells.ring(id);
    });
    const call: JobCall = {
      id,
      seed,
      halfways: this.#store.halfwaysOf(id),
      observe: (event) => {
        this.#store.transact(() => {
          recorder.observe(event);
          if (event.event === "started") onStatus(this.#store.find(id)!);
        });
      },
      keep: (image, halfway) => recorder.keep(image, halfway),
    };
    const asked = this.#store.requestOf(id);
    const request = new Request(new URL(asked.path, "http://job.invalid"), {
      method: "POST",
      headers: { ...asked.headers, "x-request-id": id },
      body: asked.body,
      signal: run.abort.signal,
    });
    const response = await execute(request, call);
    if (response.ok || run.stop === undefined) {
      await this.#settle(job, run, response, recorder);
      return;
    }
    await response.body?.cancel();
    if (run.stop === "canceled") return this.#end(id, cancellation(now()));
    const waits = this.#store.find(id)!.status === "queued";
    if (!waits) this.#end(id, interruption(now()));
  }

  async #settle(
    { id }: Job,
    run: Run,
    response: Response,
    { completed }: Recorder,
  ): Promise<void> {
    if (!response.ok && run.refusable) {
      this.#store.remove(id);
      run.settle?.(response);
      return;
    }
    const waits = this.#store.find(id)!.status === "queued";
    if (waits && response.status === 503) {
      await response.body?.cancel();
      return this.#retry(id, Number(response.headers.get("retry-after")));
    }
    this.#end(id, await answered(response, completed, this.#options.now()));
  }

  /** Tries again what there was no room for. */
  #retry(id: string, seconds: number): void {
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      const job = this.#store.find(id);
      if (job?.status === "queued") this.#start(job);
    }, 1000 * Math.max(seconds, RETRY_SECONDS));
    this.#retries.add(retry);
  }

  #end(id: string, end: JobEnd): void {
    this.#store.transact(() => {
      this.#store.end(id, end);
      this.#options.onStatus(this.#store.find(id)!);
    });
    this.#bells.ring(id);
  }
}
