/**
 * The webhook deliveries: notifications of jobs, kept until they are delivered.
 *
 * Signed by Standard Webhooks (standardwebhooks.com). A failed delivery is
 * retried at growing intervals, also by the next server; a few run at a time,
 * and the others wait on disk.
 *
 * @module
 */

import { Webhook as Signature } from "standardwebhooks";
import { type Job, type JobAnswer, jobFields, resultFields } from "./job.ts";
import { predictionFields } from "../compat/replicate/prediction.ts";
import type { Queries } from "./store/queries.ts";

/** Sends a notification to a receiver; rejects once the signal aborts. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

/** Options of webhook deliveries. */
export interface DeliveryOptions {
  /** Secret of the signatures, `whsec_…` or base64. */
  readonly secret: string;
  /** Sends a notification and returns the status of the answer. */
  readonly post: Post;
  /** A clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Public URL of this server, for receivers; `""` if unknown. */
  readonly publicUrl: string;
  /** Called with errors of writing to the store. */
  readonly onFailure: (error: unknown) => void;
  /** Timeout of an answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Pauses after each failed attempt; after the last it is given up. */
  readonly delaysMs?: readonly number[];
}

/** A notification to deliver. */
interface Delivery {
  readonly id: string;
  readonly url: string;
  readonly body: string;
  readonly attempts: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses between attempts: about a day in all. */
const DELAYS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  4 * HOUR,
  8 * HOUR,
  10 * HOUR,
];

/** Maximum concurrent deliveries. */
const AT_ONCE = 4;

/** Timeout of an answer. */
const TIMEOUT_MS = 15 * SECOND;

/** Largest result that is included in a notification. */
const MAX_RESULT_BYTES = 2 ** 20;

/** Response status of a receiver that unsubscribes. */
const GONE = 410;

/** The deliveries of job notifications. */
export class Deliveries implements AsyncDisposable {
  readonly #queries: Queries;
  readonly #options: DeliveryOptions;
  readonly #signature: Signature;
  readonly #close = new AbortController();
  readonly #inFlight = new Map<string, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Keeps notifications in the table behind `queries`.
   *
   * @throws If the secret is invalid.
   */
  constructor(queries: Queries, options: DeliveryOptions) {
    this.#queries = queries;
    this.#options = options;
    this.#signature = new Signature(options.secret);
  }

  /** Stores the notifications of `job`; {@linkcode wake} sends them. */
  enqueue(job: Job, answer: JobAnswer | undefined): void {
    if (!job.webhook?.events.includes(job.status)) return;
    const { now, publicUrl } = this.#options;
    const small = answer !== undefined &&
      answer.body.length <= MAX_RESULT_BYTES;
    const included = small ? answer : undefined;
    // Predictions are notified in Replicate's format.
    const message = job.prediction === undefined
      ? {
        type: `job.${job.status}`,
        timestamp: new Date(now()).toISOString(),
        data: {
          ...jobFields(job),
          url: `${publicUrl}/v1/jobs/${job.id}`,
          ...(included && { result: resultFields(included) }),
        },
      }
      : predictionFields(job, included, publicUrl);
    const body = JSON.stringify(message);
    this.#queries.run(
      "INSERT INTO deliveries (id, job, url, body, due_at) VALUES (?, ?, ?, ?, ?)",
      `msg_${crypto.randomUUID()}`,
      job.id,
      job.webhook.url,
      body,
      now(),
    );
  }

  /** Sends the notifications that are due, and schedules the others. */
  wake(): void {
    clearTimeout(this.#timer);
    if (this.#close.signal.aborted) return;
    try {
      this.#sendDue();
      this.#sleep();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** Stops sending; undelivered notifications stay stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#inFlight.values());
  }

  #sendDue(): void {
    for (const delivery of this.#due()) {
      if (this.#inFlight.size >= AT_ONCE) return;
      if (this.#inFlight.has(delivery.id)) continue;
      const sent = this.#send(delivery)
        .finally(() => this.#inFlight.delete(delivery.id))
        // A pause, since the store cannot be written.
        .then(() => this.wake(), this.#options.onFailure);
      this.#inFlight.set(delivery.id, sent);
    }
  }

  #due(): Delivery[] {
    return this.#queries.all(
      "SELECT id, url, body, attempts FROM deliveries WHERE due_at <= ? ORDER BY due_at LIMIT ?",
      this.#options.now(),
      // Running deliveries are among them.
      2 * AT_ONCE,
    ).map(({ id, url, body, attempts }) => ({
      id: String(id),
      url: String(url),
      body: String(body),
      attempts: Number(attempts),
    }));
  }

  #sleep(): void {
    const next = this.#queries.get(
      "SELECT min(due_at) AS due FROM deliveries WHERE due_at > ?",
      this.#options.now(),
    )?.["due"];
    if (typeof next !== "number") return;
    const delay = Math.min(next - this.#options.now(), HOUR);
    this.#timer = setTimeout(() => this.wake(), delay);
    Deno.unrefTimer(Number(this.#timer));
  }

  async #send({ id, url, body, attempts }: Delivery): Promise<void> {
    const { now, post, delaysMs = DELAYS_MS } = this.#options;
    const time = new Date(now());
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": `${Math.floor(time.getTime() / SECOND)}`,
      "webhook-signature": this.#signature.sign(id, time, body),
    };
    const { signal, done } = this.#deadline();
    const status = await post(url, headers, body, signal).catch(() => 0);
    done();
    const delay = delaysMs[attempts];
    const delivered = status >= 200 && status < 300;
    // The next server retries interrupted deliveries.
    if (!delivered && this.#close.signal.aborted) return;
    if (delivered || status === GONE || delay === undefined) {
      this.#queries.run("DELETE FROM deliveries WHERE id = ?", id);
      return;
    }
    this.#queries.run(
      "UPDATE deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ?",
      now() + delay,
      id,
    );
  }

  /** Returns the deadline of an attempt. */
  #deadline(): { readonly signal: AbortSignal; readonly done: () => void } {
    const late = new AbortController();
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const timer = setTimeout(() => late.abort(), timeoutMs);
    return {
      signal: AbortSignal.any([this.#close.signal, late.signal]),
      done: () => clearTimeout(timer),
    };
  }
}
