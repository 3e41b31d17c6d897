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

/** Whose key, and of which request. */
export interface KeyUse {
  /** Who sent it. */
  readonly principal: string;
  /** As it was sent. */
  readonly key: string;
  /** Of the request that it came with. */
  readonly fingerprint: string;
}

/** A key that was used. */
export interface StoredKey {
  /** Of the request that it came with. */
  readonly fingerprint: string;
  /** The job that the request became. */
  readonly job: string | undefined;
  /** Undefined for a job whose first answer was never given. */
  readonly answer: StoredAnswer | undefined;
}

/** Keys and answers on disk. */
export class AnswerStore {
  readonly #queries: Queries;

  /** Keeps keys in the table behind `queries`. */
  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** What is known of somebody's key. */
  find(principal: string, key: string): StoredKey | undefined {
    const row = this.#queries.get(
      "SELECT fingerprint, job, status, headers, body FROM idempotency WHERE principal = ? AND key = ? AND (job IS NOT NULL OR status IS NOT NULL)",
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

  /** Notes the job that a request becomes; the key goes when the job does. */
  link(
    { principal, key, fingerprint }: KeyUse,
    job: string,
    now: number,
  ): void {
    this.#queries.run(
      "INSERT OR REPLACE INTO idempotency (principal, key, fingerprint, created_at, job) VALUES (?, ?, ?, ?, ?)",
      principal,
      key,
      fingerprint,
      now,
      job,
    );
  }

  /** Keeps the first answer, of a job or without one. */
  keep(
    { principal, key, fingerprint }: KeyUse,
    { status, headers, body }: StoredAnswer,
    now: number,
  ): void {
    this.#queries.run(
      "INSERT INTO idempotency (principal, key, fingerprint, created_at, status, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET status = excluded.status, headers = excluded.headers, body = excluded.body",
      principal,
      key,
      fingerprint,
      now,
      status,
      JSON.stringify(headers),
      body,
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
}
