/**
 * The queue of RunPod as a plain value: jobs, their workers, and the changes of
 * both as time passes.
 *
 * ```text
 * IN_QUEUE ─▶ IN_PROGRESS ─▶ COMPLETED, FAILED, CANCELLED, TIMED_OUT
 *     ▲            │
 *     └────────────┘ its worker is silent, or no longer lists it
 * ```
 *
 * The last arrow is not documented exactly; a worker must tolerate it.
 *
 * @module
 */

import { Notifier } from "../../../lib/async/notifier.ts";

/** Status of a job. */
export type RunpodStatus =
  | "IN_QUEUE"
  | "IN_PROGRESS"
  | "COMPLETED"
  | "FAILED"
  | "CANCELLED"
  | "TIMED_OUT";

/** A job. Times are in milliseconds. */
export interface RunpodJob {
  readonly id: string;
  readonly input: unknown;
  readonly createdAt: number;
  readonly ttlMs: number;
  readonly executionMs: number;
  status: RunpodStatus;
  worker: string | undefined;
  takenAt: number;
  endedAt: number;
  /** Count of deliveries. */
  takes: number;
  /** Consecutive pings of its worker that did not list it. */
  unnamed: number;
  output: unknown;
  error: string | undefined;
  /** Parts of its answer, and the count of those that were read. */
  readonly parts: unknown[];
  read: number;
  /** Count of results, of which the first is kept. */
  results: number;
}

/** A worker. */
export interface RunpodWorkerState {
  seenAt: number;
  pings: number;
  readonly stops: string[];
  /** True if it requested its own stop. */
  stopped: boolean;
}

/** The timeouts of the queue. */
export interface QueueOptions {
  readonly now: () => number;
  /** Time of silence after which a worker counts as dead. */
  readonly deadMs: number;
  readonly ttlMs: number;
}

const ENDED: ReadonlySet<RunpodStatus> = new Set([
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "TIMED_OUT",
]);

/** Pings that may omit a job, since one may overtake its delivery. */
const MAX_UNNAMED = 2;

/** Jobs and workers. */
export class RunpodQueue {
  readonly options: QueueOptions;
  readonly jobs = new Map<string, RunpodJob>();
  readonly workers = new Map<string, RunpodWorkerState>();
  /** Notified by the name of a job or worker, and by `queue` when jobs wait. */
  readonly notifier = new Notifier();
  retried = 0;
  #names = 0;

  constructor(options: QueueOptions) {
    this.options = options;
  }

  /** Returns the jobs of a status in order of arrival. */
  withStatus(status: RunpodStatus): RunpodJob[] {
    return [...this.jobs.values()].filter((job) => job.status === status);
  }

  add(
    input: unknown,
    { ttlMs = this.options.ttlMs, executionMs = Infinity } = {},
  ): RunpodJob {
    const job: RunpodJob = {
      id: `${++this.#names}-e1`,
      input,
      createdAt: this.options.now(),
      ttlMs,
      executionMs,
      status: "IN_QUEUE",
      worker: undefined,
      takenAt: 0,
      endedAt: 0,
      takes: 0,
      unnamed: 0,
      output: undefined,
      error: undefined,
      parts: [],
      read: 0,
      results: 0,
    };
    this.jobs.set(job.id, job);
    this.notifier.notify("queue");
    return job;
  }

  /** Delivers jobs to a worker. */
  take(worker: string, count: number): RunpodJob[] {
    this.#worker(worker);
    const taken = this.withStatus("IN_QUEUE").slice(0, count);
    for (const job of taken) {
      job.status = "IN_PROGRESS";
      job.worker = worker;
      job.takenAt = this.options.now();
      job.unnamed = 0;
      job.takes++;
    }
    return taken;
  }

  /** Records a ping, and requeues the jobs that it does not list. */
  ping(worker: string, named: readonly string[]): void {
    const state = this.#worker(worker);
    state.seenAt = this.options.now();
    state.pings++;
    this.notifier.notify(worker);
    for (const job of this.#of(worker)) {
      job.unnamed = named.includes(job.id) ? 0 : job.unnamed + 1;
      if (job.unnamed > MAX_UNNAMED) this.#requeue(job);
    }
  }

  /** Records a result; one for an ended job changes nothing. */
  finish(
    id: string,
    { output, error }: { output?: unknown; error?: string },
  ): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    job.results++;
    if (ENDED.has(job.status)) return;
    job.output = output;
    job.error = error;
    this.#end(job, error === undefined ? "COMPLETED" : "FAILED");
  }

  progress(id: string, output: unknown): void {
    const job = this.jobs.get(id);
    if (job?.status === "IN_PROGRESS") job.output = output;
  }

  addPart(id: string, output: unknown): void {
    this.jobs.get(id)?.parts.push(output);
    this.notifier.notify(id);
  }

  cancel(job: RunpodJob): void {
    this.#stop(job, "CANCELLED");
  }

  /** Applies the timeouts. */
  sweep(): void {
    const now = this.options.now();
    for (const job of this.withStatus("IN_QUEUE")) {
      if (now - job.createdAt > job.ttlMs) this.#end(job, "TIMED_OUT");
    }
    for (const job of this.withStatus("IN_PROGRESS")) {
      const { seenAt } = this.workers.get(job.worker!)!;
      if (now - job.takenAt > job.executionMs) this.#stop(job, "TIMED_OUT");
      else if (now - Math.max(seenAt, job.takenAt) > this.options.deadMs) {
        this.#requeue(job);
      }
    }
  }

  #stop(job: RunpodJob, status: RunpodStatus): void {
    if (ENDED.has(job.status)) return;
    if (job.worker !== undefined) {
      this.workers.get(job.worker)!.stops.push(job.id);
      this.notifier.notify(job.worker);
    }
    this.#end(job, status);
  }

  #requeue(job: RunpodJob): void {
    job.status = "IN_QUEUE";
    job.worker = undefined;
    job.parts.length = 0;
    job.read = 0;
    this.retried++;
    this.notifier.notify("queue");
  }

  #end(job: RunpodJob, status: RunpodStatus): void {
    job.status = status;
    job.endedAt = this.options.now();
    this.notifier.notify(job.id);
  }

  #of(worker: string): RunpodJob[] {
    return this.withStatus("IN_PROGRESS")
      .filter((job) => job.worker === worker);
  }

  #worker(name: string): RunpodWorkerState {
    let state = this.workers.get(name);
    if (state === undefined) {
      const seenAt = this.options.now();
      state = { seenAt, pings: 0, stops: [], stopped: false };
      this.workers.set(name, state);
    }
    return state;
  }
}

/** Returns true if a job's status is final. */
export function hasEnded({ status }: Pick<RunpodJob, "status">): boolean {
  return ENDED.has(status);
}
