/**
 * All that belongs to jobs, on one store: opened, swept now and then, closed.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { invalidField } from "../refusals.ts";
import { AnswerStore } from "./answer_store.ts";
import { openDatabase } from "./database.ts";
import { Deliveries, type DeliveryOptions } from "./deliveries.ts";
import type { Job } from "./job.ts";
import { JobStore } from "./job_store.ts";
import { Queries } from "./queries.ts";
import { JobRunner, type RunnerOptions } from "./runner.ts";

/** How jobs are kept and run. */
export interface JobsOptions extends Omit<RunnerOptions, "onStatus"> {
  /** The store: a file, or one in memory. */
  readonly path: string;
  /** How long what has ended is kept. */
  readonly ttlMs: number;
  /** How large the store may become. */
  readonly maxBytes: number;
  /** How webhooks are sent; undefined where none are. */
  readonly webhooks: Omit<DeliveryOptions, "now"> | undefined;
}

const SWEEP_MS = 60_000;

/** Jobs, first answers and webhooks of a server. */
export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #database: DatabaseSync;
  readonly #deliveries: Deliveries | undefined;
  readonly #sweeping: ReturnType<typeof setInterval>;
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
    this.#database = openDatabase(options.path);
    const queries = new Queries(this.#database);
    const { now, webhooks } = options;
    this.store = new JobStore(queries);
    this.answers = new AnswerStore(queries);
    this.#deliveries = webhooks &&
      new Deliveries(queries, { ...webhooks, now });
    this.runner = new JobRunner(this.store, {
      ...options,
      onStatus: (job) => this.#tell(job),
    });
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    Deno.unrefTimer(Number(this.#sweeping));
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

  /** A clock, in milliseconds since 1970. */
  get now(): () => number {
    return this.#options.now;
  }

  /** Takes over what a server before this one left: once, when models are ready. */
  recover(): void {
    this.runner.recover();
    this.#deliveries?.wake();
  }

  /** Forgets what is old, and what there is no room for. */
  sweep(): void {
    const { ttlMs, maxBytes, now } = this.#options;
    this.answers.sweep(now() - ttlMs);
    this.store.sweep(now() - ttlMs, maxBytes);
  }

  /** Stops what runs, then closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeping);
    await this.runner[Symbol.asyncDispose]();
    await this.#deliveries?.[Symbol.asyncDispose]();
    this.#database.close();
  }

  #tell(job: Job): void {
    if (this.#deliveries === undefined || job.webhook === undefined) return;
    this.#deliveries.enqueue(job, this.store.answerOf(job.id));
    // Once the change at hand is written down.
    queueMicrotask(() => this.#deliveries!.wake());
  }
}
