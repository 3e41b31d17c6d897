/**
 * Jobs on disk: what was asked, what happened, what came of it.
 *
 * Every change is written before anybody hears of it, so that whatever a client
 * was told is there after a restart.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import type { Halfway } from "../../lib/drawing/halfway.ts";
import type { StoredEvent, WireEvent } from "../events.ts";
import type { Problem } from "../problem.ts";
import type { PredictionOrigin } from "../replicate/prediction.ts";
import { bytesOf, type Queries, type Row } from "./queries.ts";
import type {
  Job,
  JobAnswer,
  JobRequest,
  JobStatus,
  Progress,
  Webhook,
} from "./job.ts";

/** A job that is to be kept. */
export interface NewJob
  extends Pick<Job, "id" | "principal" | "createdAt" | "seed"> {
  /** What is asked. */
  readonly request: JobRequest;
  /** Whom to tell. */
  readonly webhook: Webhook | undefined;
  /** How it came about, where it is a prediction. */
  readonly prediction: PredictionOrigin | undefined;
}

/** How a job ended. */
export interface JobEnd {
  /** One that ends. */
  readonly status: JobStatus;
  /** When. */
  readonly finishedAt: number;
  /** When it succeeded. */
  readonly answer?: JobAnswer;
  /** When it failed. */
  readonly error?: Problem;
  /** The last thing that is told of it. */
  readonly event: WireEvent;
}

const COLUMNS =
  "id, principal, status, created_at, started_at, finished_at, seed, path, done, total, error, webhook, prediction";

/** Jobs on disk. */
export class JobStore {
  readonly #queries: Queries;

  /** Keeps jobs in the tables behind `queries`. */
  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** Keeps a job that waits. */
  insert({ id, principal, createdAt, seed, request, ...more }: NewJob): void {
    const { webhook, prediction } = more;
    this.#queries.run(
      "INSERT INTO jobs (id, principal, status, created_at, seed, path, headers, body, webhook, prediction) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)",
      id,
      principal,
      createdAt,
      seed,
      request.path,
      JSON.stringify(request.headers),
      request.body,
      webhook === undefined ? null : JSON.stringify(webhook),
      prediction === undefined ? null : JSON.stringify(prediction),
    );
  }

  /** The job of this name. */
  find(id: string): Job | undefined {
    const row = this.#queries.get(
      `SELECT ${COLUMNS} FROM jobs WHERE id = ?`,
      id,
    );
    return row && jobFromRow(row);
  }

  /** The newest jobs of somebody, newest first. */
  newest(principal: string, limit: number): Job[] {
    return this.#queries.all(
      `SELECT ${COLUMNS} FROM jobs WHERE principal = ? ORDER BY created_at DESC, rowid DESC LIMIT ?`,
      principal,
      limit,
    ).map(jobFromRow);
  }

  /** Jobs of these statuses, oldest first. */
  withStatus(...statuses: readonly JobStatus[]): Job[] {
    const marks = statuses.map(() => "?").join(", ");
    return this.#queries.all(
      `SELECT ${COLUMNS} FROM jobs WHERE status IN (${marks}) ORDER BY created_at, rowid`,
      ...statuses,
    ).map(jobFromRow);
  }

  /** What a job asks. */
  requestOf(id: string): JobRequest {
    const row = this.#queries.get(
      "SELECT path, headers, body FROM jobs WHERE id = ?",
      id,
    )!;
    return {
      path: String(row["path"]),
      headers: JSON.parse(String(row["headers"])),
      body: bytesOf(row["body"]),
    };
  }

  /** What came of a job. */
  answerOf(id: string): JobAnswer | undefined {
    const row = this.#queries.get(
      "SELECT answer_headers, answer_body FROM jobs WHERE id = ?",
      id,
    );
    if (row === undefined || row["answer_headers"] === null) return undefined;
    return {
      headers: JSON.parse(String(row["answer_headers"])),
      body: bytesOf(row["answer_body"]),
    };
  }

  /** Notes that a job waits again. */
  requeue(id: string): void {
    this.#queries.run(
      "UPDATE jobs SET status = 'queued', finished_at = NULL, error = NULL WHERE id = ?",
      id,
    );
  }

  /** Notes that a job runs. */
  start(id: string, now: number): void {
    this.#queries.run(
      "UPDATE jobs SET status = 'running', started_at = coalesce(started_at, ?) WHERE id = ? AND status = 'queued'",
      now,
      id,
    );
  }

  /** Adds what happened, and how far the job is by it. */
  append(id: string, { event, data }: WireEvent, progress: Progress): void {
    this.transact(() => {
      this.#append(id, event, data);
      this.#queries.run(
        "UPDATE jobs SET done = ?, total = ? WHERE id = ?",
        progress.done,
        progress.total ?? null,
        id,
      );
    });
  }

  /** Keeps what it takes to go on with a picture. */
  keepHalfway(id: string, image: number, halfway: Halfway): void {
    this.#queries.run(
      "INSERT OR REPLACE INTO halfways (job, image, state) VALUES (?, ?, ?)",
      id,
      image,
      new Uint8Array(serialize(halfway)),
    );
  }

  /** What was kept, by picture. */
  halfwaysOf(id: string): (Halfway | undefined)[] {
    const halfways: (Halfway | undefined)[] = [];
    const rows = this.#queries.all(
      "SELECT image, state FROM halfways WHERE job = ?",
      id,
    );
    for (const { image, state } of rows) {
      halfways[Number(image)] = deserialize(bytesOf(state));
    }
    return halfways;
  }

  /** Notes that a job has ended, unless it had. */
  end(id: string, { status, finishedAt, answer, error, event }: JobEnd): void {
    this.transact(() => {
      this.#append(id, event.event, event.data);
      this.#queries.run(
        "UPDATE jobs SET status = ?, finished_at = ?, answer_headers = ?, answer_body = ?, error = ? WHERE id = ?",
        status,
        finishedAt,
        answer === undefined ? null : JSON.stringify(answer.headers),
        answer === undefined ? null : answer.body,
        error === undefined ? null : JSON.stringify(error),
        id,
      );
      // An interrupted one goes on from them.
      if (status === "succeeded" || status === "canceled") {
        this.#queries.run("DELETE FROM halfways WHERE job = ?", id);
      }
    });
  }

  /** What happened after an event, oldest first. */
  eventsAfter(id: string, after: number, limit: number): StoredEvent[] {
    return this.#queries.all(
      "SELECT id, event, data FROM events WHERE job = ? AND id > ? ORDER BY id LIMIT ?",
      id,
      after,
      limit,
    ).map((row) => ({
      id: Number(row["id"]),
      event: String(row["event"]),
      data: String(row["data"]),
    }));
  }

  /** Forgets a job and all that belongs to it. */
  remove(id: string): void {
    this.#queries.run("DELETE FROM jobs WHERE id = ?", id);
  }

  /**
   * Forgets jobs that ended before `before`, then the oldest that ended, until
   * the file holds at most `maxBytes`.
   *
   * @returns How many.
   */
  sweep(before: number, maxBytes: number): number {
    let removed = this.#queries.run(
      "DELETE FROM jobs WHERE finished_at < ?",
      before,
    );
    while (this.#bytesHeld() > maxBytes) {
      const few = this.#queries.run(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT 8)",
      );
      if (few === 0) break;
      removed += few;
    }
    if (removed > 0) this.#queries.all("PRAGMA incremental_vacuum");
    return removed;
  }

  /** Runs `change` as a whole or not at all. */
  transact<T>(change: () => T): T {
    return this.#queries.transact(change);
  }

  #append(id: string, event: string, data: unknown): void {
    this.#queries.run(
      "INSERT INTO events (job, id, event, data) SELECT ?, 1 + coalesce(max(id), 0), ?, ? FROM events WHERE job = ?",
      id,
      event,
      JSON.stringify(data),
      id,
    );
  }

  #bytesHeld(): number {
    const number = (pragma: string) =>
      Number(Object.values(this.#queries.get(`PRAGMA ${pragma}`)!)[0]);
    const pages = number("page_count") - number("freelist_count");
    return pages * number("page_size");
  }
}

function jobFromRow(row: Row): Job {
  const number = (name: string) =>
    row[name] === null ? undefined : Number(row[name]);
  const json = (name: string) =>
    row[name] === null ? undefined : JSON.parse(String(row[name]));
  return {
    id: String(row["id"]),
    principal: String(row["principal"]),
    // Written by this file alone.
    status: String(row["status"]) as JobStatus,
    createdAt: Number(row["created_at"]),
    startedAt: number("started_at"),
    finishedAt: number("finished_at"),
    seed: Number(row["seed"]),
    path: String(row["path"]),
    progress: { done: Number(row["done"]), total: number("total") },
    error: json("error"),
    webhook: json("webhook"),
    prediction: json("prediction"),
  };
}
