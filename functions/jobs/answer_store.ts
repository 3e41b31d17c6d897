/**
 * First answers by idempotency key: what a client gets that asks again.
 *
 * @module
 */

import { bytesOf, jsonOf, type Queries } from "./queries.ts";

/** A whole answer. */
export interface StoredAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Those that belong to the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A key in use. */
export interface StoredKey {
  /** Of the request that it came with. */
  readonly fingerprint: string;
  /** The job that the request became. */
  readonly job: string | undefined;
  /** Undefined while there is none. */
  readonly answer: StoredAnswer | undefined;
}

/** Keys and answers on disk. */
export class AnswerStore {
  readonly #queries: Queries;

  /**
   * Keeps keys in the table behind `queries`. Requests that a server before this
   * one was at work on, and that were no jobs, died with it: their keys are free.
   */
  constructor(queries: Queries) {
    this.#queries = queries;
    queries.run(
      "DELETE FROM idempotency WHERE status IS NULL AND job IS NULL",
    );
  }

  /** What is known of somebody's key. */
  find(principal: string, key: string): StoredKey | undefined {
    const row = this.#queries.get(
      "SELECT fingerprint, job, status, headers, body FROM idempotency WHERE principal = ? AND key = ?",
      principal,
      key,
    );
    if (row === undefined) return undefined;
    const { fingerprint, job, status, headers, body } = row;
    return {
      fingerprint: String(fingerprint),
      job: job === null ? undefined : String(job),
      answer: status === null ? undefined : {
        status: Number(status),
        // Written by this file alone.
        headers: jsonOf(headers) as Record<string, string>,
        body: bytesOf(body),
      },
    };
  }

  /** Takes a key that is free. */
  take(principal: string, key: string, fingerprint: string, now: number): void {
    this.#queries.run(
      "INSERT INTO idempotency (principal, key, fingerprint, created_at) VALUES (?, ?, ?, ?)",
      principal,
      key,
      fingerprint,
      now,
    );
  }

  /** Notes the job that a request became; the key goes when the job does. */
  link(principal: string, key: string, job: string): void {
    this.#queries.run(
      "UPDATE idempotency SET job = ? WHERE principal = ? AND key = ?",
      job,
      principal,
      key,
    );
  }

  /** Keeps the first answer. */
  keep(
    principal: string,
    key: string,
    { status, headers, body }: StoredAnswer,
  ): void {
    this.#queries.run(
      "UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE principal = ? AND key = ?",
      status,
      JSON.stringify(headers),
      body,
      principal,
      key,
    );
  }

  /** Frees a key. */
  free(principal: string, key: string): void {
    this.#queries.run(
      "DELETE FROM idempotency WHERE principal = ? AND key = ?",
      principal,
      key,
    );
  }

  /**
   * Forgets answers from before `before`, unless a job still goes by them.
   *
   * @returns How many.
   */
  sweep(before: number): number {
    return this.#queries.run(
      "DELETE FROM idempotency WHERE created_at < ? AND job IS NULL AND status IS NOT NULL",
      before,
    );
  }
}
