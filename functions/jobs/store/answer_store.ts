/**
 * The store of first answers by idempotency key.
 *
 * @module
 */

import { bytesOf, jsonOf, type Queries } from "./queries.ts";

/** A whole answer. */
export interface StoredAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Headers that belong to the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as sent. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The use of a key by a request. */
export interface KeyUse {
  /** Principal that sent the key. */
  readonly principal: string;
  /** Key as sent. */
  readonly key: string;
  /** Fingerprint of its request. */
  readonly fingerprint: string;
}

/** A key that was used. */
export interface StoredKey {
  /** Fingerprint of its first request. */
  readonly fingerprint: string;
  /** Id of the job that the request became. */
  readonly job: string | undefined;
  /** First answer; undefined for a job that was not answered yet. */
  readonly answer: StoredAnswer | undefined;
}

/** A store of keys and answers on disk. */
export class AnswerStore {
  readonly #queries: Queries;

  /** Keeps keys in the table behind `queries`. */
  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** Returns the stored use of a principal's key. */
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
        // Rows are written by this file alone.
        headers: jsonOf(headers) as Record<string, string>,
        body: bytesOf(body),
      },
    };
  }

  /** Links a key to the job of its request; both are removed together. */
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

  /** Stores the first answer, of a job or without one. */
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
