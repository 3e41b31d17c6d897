/**
 * All that belongs to jobs, on one store: opened, swept now and then, closed.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { invalidField } from "../http/errors/errors.ts";
import { AnswerStore } from "./store/answer_store.ts";
import { IN_MEMORY, openDatabase } from "./store/database.ts";
import { Deliveries, type DeliveryOptions } from "./deliveries.ts";
import { spaceFor } from "./store/disk_space.ts";
import { type InterruptedRequest, keepInterrupted } from "./interrupted.ts";
import { hasEnded, type Job } from "./job.ts";
import { JobStore } from "./store/job_store.ts";
import { type Pause, pause } from "./pause.ts";
import { Queries } from "./store/queries.ts";
import { RetentionClock } from "./store/retention_clock.ts";
import { Room } from "./store/room.ts";
import { JobRunner, type RunnerOptions } from "./runner.ts";

/** How jobs are kept and run. */
export interface JobsOptions extends Omit<RunnerOptions, "onStatus" | "pause"> {
  /** How time passes; by the clock, unless said otherwise. */
  readonly pause?: Pause;
  /** The store: a file, or one in memory. */
  readonly path: string;
  /** Milliseconds that this process has run; its own, unless said otherwise. */
  readonly uptime?: () => number;
  /** How long what has ended is kept. */
  readonly ttlMs: number;
  /** How large the store may become. */
  readonly maxBytes: number;
  /** How webhooks are sent; undefined where none are. */
  readonly webhooks: Omit<DeliveryOptions, "now" | "onFailure"> | undefined;
}

/** How often it is looked what has become old, and what nobody runs. */
const LOOK_MS = 60_000;

/** Interval of trying to write to a full store again. */
const PROBE_MS = 5000;

/** Jobs, first answers and webhooks of a server. */
export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #database: DatabaseSync;
  readonly #deliveries: Deliveries | undefined;
  readonly #room: Room;
  readonly #clock: RetentionClock;
  readonly #looking: ReturnType<typeof setInterval>;
  readonly #probing: ReturnType<typeof setInterval>;
  #writable = true;
  /** What was asked and what came of it. */
  readonly store: JobStore;
  /** First answers by idempotency key. */
  readonly answers: AnswerStore;
  /** Runs them. */
  readonly runner: JobRunner;

  /**
   * Opens the store; runs nothing before {@linkcode recover}.
   *
   * @throws {StoreError} When the file cannot be the store.
   */
  constructor(options: JobsOptions) {
    this.#options = options;
    this.#database = openDatabase(
      options.path,
      undefined,
      options.onFailure,
    );
    const queries = new Queries(this.#database);
    const { now, webhooks, onFailure, maxBytes } = options;
    this.#room = new Room(queries, maxBytes, () => spaceFor(options.path));
    queries.makeRoom = () => this.#room.recycle() > 0;
    queries.onFailed = () => void (this.#writable = false);
    const { uptime = () => performance.now() } = options;
    this.#clock = new RetentionClock(queries, { now, uptime });
    this.store = new JobStore(queries, this.#clock.now);
    this.answers = new AnswerStore(queries);
    this.#deliveries = webhooks &&
      new Deliveries(queries, { ...webhooks, now, onFailure });
    this.runner = new JobRunner(this.store, {
      ...options,
      pause: this.pause,
      onStatus: (job) => this.#tell(job),
    });
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#probing = setInterval(this.probe, PROBE_MS);
    for (const timer of [this.#looking, this.#probing]) {
      Deno.unrefTimer(Number(timer));
    }
  }

  /**
   * Looks whether somebody can be told of jobs.
   *
   * @param pointer Where the URL stands in the body.
   * @throws {InvalidFieldsError} When not.
   */
  checkWebhook(url: string, pointer: string): void {
    if (this.#deliveries === undefined) {
      throw invalidField(
        pointer,
        "this server sends no webhooks: it needs WEBHOOK_SECRET and ALLOW_URL_INPUTS",
      );
    }
    if (URL.parse(url)?.protocol !== "https:") {
      throw invalidField(pointer, "expected an https URL");
    }
  }

  /** Whether what is kept is there for the next server. */
  get lasting(): boolean {
    return this.#options.path !== IN_MEMORY;
  }

  /** Keeps a request as a job that was interrupted; gives its name. */
  keepInterrupted(request: InterruptedRequest): string {
    return keepInterrupted(this.store, request, this.#options.now());
  }

  /** A clock, in milliseconds since 1970. */
  get now(): () => number {
    return this.#options.now;
  }

  /** The clock that tells how old what is kept is, in milliseconds. */
  get retentionNow(): () => number {
    return this.#clock.now;
  }

  /** True if the store could take the last write. */
  get writable(): boolean {
    return this.#writable;
  }

  /** How time passes. */
  get pause(): Pause {
    return this.#options.pause ?? pause;
  }

  /** Takes over what a server before this one left: once, when models are ready. */
  recover(): void {
    this.runner.recover();
    this.#deliveries?.wake();
  }

  /** Forgets what is old, and what there is no room for. */
  readonly sweep = (): void => {
    this.#clock.save();
    this.#room.make(this.#clock.now() - this.#options.ttlMs);
  };

  /** Runs `change`; what goes wrong is reported and no more. */
  readonly report = (change: () => void): void => {
    try {
      change();
    } catch (error) {
      this.#options.onFailure(error);
    }
  };

  /** Stops what runs, then closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    clearInterval(this.#probing);
    await this.runner[Symbol.asyncDispose]();
    await this.#deliveries?.[Symbol.asyncDispose]();
    // Those who waited for a job look once more where it stands.
    await new Promise((resolve) => setTimeout(resolve));
    this.#database.close();
  }

  #look(): void {
    this.report(this.sweep);
    this.report(() => this.recover());
  }

  /** Tries whether there is room again. */
  readonly probe = (): void => {
    if (this.#writable) return;
    try {
      this.#room.probe();
      this.#writable = true;
    } catch {
      // Whoever could not write something has reported it.
    }
  };

  #tell(job: Job): void {
    if (job.webhook !== undefined) {
      this.#deliveries?.enqueue(job, this.store.answerOf(job.id));
    }
    // Once the change at hand is written down.
    queueMicrotask(() => {
      if (hasEnded(job)) this.report(this.sweep);
      this.#deliveries?.wake();
    });
  }
}
