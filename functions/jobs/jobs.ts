/**
 * The jobs subsystem of a server on one store: opened, swept at intervals,
 * closed.
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
import { type Delay, delay } from "../../lib/async/delay.ts";
import { Queries } from "./store/queries.ts";
import { RetentionClock } from "./store/retention_clock.ts";
import { Retention } from "./store/retention.ts";
import { JobRunner, type RunnerOptions } from "./runner.ts";

/** Options of the jobs subsystem. */
export interface JobsOptions extends Omit<RunnerOptions, "onStatus" | "delay"> {
  /** Waits for a duration; by the clock by default. */
  readonly delay?: Delay;
  /** Path of the store's file, or the name of one in memory. */
  readonly path: string;
  /** Returns the uptime of this process in milliseconds, by default. */
  readonly uptime?: () => number;
  /** Retention of ended jobs, in milliseconds. */
  readonly ttlMs: number;
  /** Largest size of the store, in bytes. */
  readonly maxBytes: number;
  /** Options of webhooks; undefined to send none. */
  readonly webhooks: Omit<DeliveryOptions, "now" | "onFailure"> | undefined;
}

/** Interval of the sweep for expired and abandoned jobs. */
const SWEEP_MS = 60_000;

/** Interval of attempts to write to a full store. */
const PROBE_MS = 5000;

/** The jobs, first answers and webhooks of a server. */
export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #database: DatabaseSync;
  readonly #deliveries: Deliveries | undefined;
  readonly #room: Retention;
  readonly #clock: RetentionClock;
  readonly #sweeping: ReturnType<typeof setInterval>;
  readonly #probing: ReturnType<typeof setInterval>;
  #writable = true;
  /** Store of requests, events and answers. */
  readonly store: JobStore;
  /** First answers by idempotency key. */
  readonly answers: AnswerStore;
  /** Runner of the jobs. */
  readonly runner: JobRunner;

  /**
   * Opens the store; runs no job before {@linkcode recover}.
   *
   * @throws {StoreError} If the file cannot be the store.
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
    this.#room = new Retention(queries, maxBytes, () => spaceFor(options.path));
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
      delay: this.delay,
      onStatus: (job) => this.#onStatus(job),
    });
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#probing = setInterval(this.probe, PROBE_MS);
    for (const timer of [this.#sweeping, this.#probing]) {
      Deno.unrefTimer(Number(timer));
    }
  }

  /**
   * Checks that a webhook can be notified.
   *
   * @param pointer JSON pointer of the URL in the body.
   * @throws {InvalidFieldsError} If it cannot be notified.
   */
  checkWebhook(url: string, pointer: string): void {
    if (this.#deliveries === undefined) {
      throw invalidField(
        pointer,
        "webhooks are disabled: set WEBHOOK_SECRET and ALLOW_URL_INPUTS, and restart the server",
      );
    }
    if (URL.parse(url)?.protocol !== "https:") {
      throw invalidField(pointer, "expected an https URL");
    }
  }

  /** True if stored jobs survive this server. */
  get lasting(): boolean {
    return this.#options.path !== IN_MEMORY;
  }

  /** Stores a request as an interrupted job and returns its id. */
  keepInterrupted(request: InterruptedRequest): string {
    return keepInterrupted(this.store, request, this.#options.now());
  }

  /** A clock, in milliseconds since 1970. */
  get now(): () => number {
    return this.#options.now;
  }

  /** Clock that measures the age of stored jobs, in milliseconds. */
  get retentionNow(): () => number {
    return this.#clock.now;
  }

  /** True if the last write to the store succeeded. */
  get writable(): boolean {
    return this.#writable;
  }

  /** Waits for a duration. */
  get delay(): Delay {
    return this.#options.delay ?? delay;
  }

  /** Recovers the jobs of an earlier server; called once models are ready. */
  recover(): void {
    this.runner.recover();
    this.#deliveries?.wake();
  }

  /** Removes expired jobs, and those that exceed the store's size. */
  readonly sweep = (): void => {
    this.#clock.save();
    this.#room.make(this.#clock.now() - this.#options.ttlMs);
  };

  /** Runs `change`; errors are reported, not thrown. */
  readonly report = (change: () => void): void => {
    try {
      change();
    } catch (error) {
      this.#options.onFailure(error);
    }
  };

  /** Stops running jobs, then closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeping);
    clearInterval(this.#probing);
    await this.runner[Symbol.asyncDispose]();
    await this.#deliveries?.[Symbol.asyncDispose]();
    // Waiting clients read the final status of their job.
    await delay(0);
    this.#database.close();
  }

  #sweep(): void {
    this.report(this.sweep);
    this.report(() => this.recover());
  }

  /** Checks if a full store is writable again. */
  readonly probe = (): void => {
    if (this.#writable) return;
    try {
      this.#room.probe();
      this.#writable = true;
    } catch {
      // The failed write has been reported already.
    }
  };

  #onStatus(job: Job): void {
    if (job.webhook !== undefined) {
      this.#deliveries?.enqueue(job, this.store.answerOf(job.id));
    }
    // After the current change is written.
    queueMicrotask(() => {
      if (hasEnded(job)) this.report(this.sweep);
      this.#deliveries?.wake();
    });
  }
}
