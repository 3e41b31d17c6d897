/**
 * Jobs on disk: what was asked, what happened, what came of it.
 *
 * Every change is written before anybody hears of it, so that whatever a client
 * was told is there after a restart.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import type { ResumeState } from "../../../lib/drawing/resume_state.ts";
import type { StoredEvent, WireEvent } from "../../http/sse.ts";
import type { Problem } from "../../http/errors/problem.ts";
import type { PredictionOrigin } from "../../compat/replicate/prediction.ts";
import { bytesOf, type Queries, type Row } from "./queries.ts";
import {
  isResumable,
  type Job,
  type JobAnswer,
  type JobRequest,
  type JobStatus,
  type Progress,
  type Webhook,
} from "../job.ts";

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

/** What an event is about. */
export interface EventSubject {
  /** Its kind. */
  readonly event: string;
  /** Which picture; undefined for none. */
  readonly image: number | undefined;
  /** Which row; undefined for none. */
  readonly index: number | undefined;
}

/** The choice of jobs for a page. */
export interface PageOptions {
  /** Jobs at most. */
  readonly limit: number;
  /** Bytes at most. */
  readonly maxBytes: number;
  /** The last job of the page before; undefined for the first page. */
  readonly after?: string | undefined;
  /** True for predictions alone. */
  readonly predictions?: boolean;
}

/** A page of jobs. */
export interface JobPage {
  /** Newest first. */
  readonly jobs: readonly Job[];
  /** True if there are older ones. */
  readonly more: boolean;
}

const COLUMNS =
  "id, principal, status, created_at, started_at, finished_at, seed, path, done, total, error, webhook, prediction";

/** Jobs on disk. */
export class JobStore {
  readonly #queries: Queries;
  readonly #keptFrom: (finishedAt: number) => number;

  /**
   * Keeps jobs in the tables behind `queries`.
   *
   * @param keptFrom From when on a job that ends is kept, by the clock that
   * tells its age.
   */
  constructor(
    queries: Queries,
    keptFrom: (finishedAt: number) => number = (finishedAt) => finishedAt,
  ) {
    this.#queries = queries;
    this.#keptFrom = keptFrom;
  }

  /** Keeps a job that waits. */
  insert({ id, principal, createdAt, seed, request, ...more }: NewJob): void {
    const { webhook, prediction } = more;
    this.transact(() => {
      this.#queries.run(
        "INSERT INTO jobs (id, principal, status, created_at, seed, path, webhook, prediction) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)",
        id,
        principal,
        createdAt,
        seed,
        request.path,
        webhook === undefined ? null : JSON.stringify(webhook),
        prediction === undefined ? null : JSON.stringify(prediction),
      );
      this.#queries.run(
        "INSERT INTO requests (job, headers, body) VALUES (?, ?, ?)",
        id,
        JSON.stringify(request.headers),
        request.body,
      );
    });
  }

  /** The job of this name. */
  find(id: string): Job | undefined {
    const row = this.#queries.get(
      `SELECT ${COLUMNS} FROM jobs WHERE id = ?`,
      id,
    );
    return row && jobFromRow(row);
  }

  /**
   * A page of somebody's jobs, newest first: up to `limit` of them, and up to
   * `maxBytes` of what is kept of them without their bodies, but one at least.
   */
  page(principal: string, options: PageOptions): JobPage {
    const { limit, maxBytes, after, predictions } = options;
    const jobs: Job[] = [];
    let bytes = 0;
    let more = false;
    this.#queries.each(
      `SELECT ${COLUMNS}, coalesce(octet_length(error), 0) + coalesce(octet_length(prediction), 0) AS bytes FROM jobs WHERE principal = ? AND rowid < coalesce((SELECT rowid FROM jobs WHERE id = ?), ?) AND (prediction IS NOT NULL OR NOT ?) ORDER BY rowid DESC`,
      [
        principal,
        after ?? null,
        Number.MAX_SAFE_INTEGER,
        predictions === true ? 1 : 0,
      ],
      (row) => {
        bytes += Number(row["bytes"]);
        more = jobs.length === limit || (jobs.length > 0 && bytes > maxBytes);
        if (!more) jobs.push(jobFromRow(row));
        return !more;
      },
    );
    return { jobs, more };
  }

  /** Jobs of these statuses, oldest first. */
  withStatus(...statuses: readonly JobStatus[]): Job[] {
    const marks = statuses.map(() => "?").join(", ");
    return this.#queries.all(
      `SELECT ${COLUMNS} FROM jobs WHERE status IN (${marks}) ORDER BY rowid`,
      ...statuses,
    ).map(jobFromRow);
  }

  /** What a job asks. */
  requestOf(id: string): JobRequest {
    const row = this.#queries.get(
      "SELECT path, headers, body FROM jobs JOIN requests ON job = id WHERE id = ?",
      id,
    )!;
    return {
      path: String(row["path"]),
      headers: JSON.parse(String(row["headers"])),
      body: bytesOf(row["body"]),
    };
  }

  /** Bytes of what came of a job; 0 for nothing. */
  answerBytes(id: string): number {
    const row = this.#queries.get(
      "SELECT octet_length(body) AS bytes FROM answers WHERE job = ?",
      id,
    );
    return Number(row?.["bytes"] ?? 0);
  }

  /** What came of a job. */
  answerOf(id: string): JobAnswer | undefined {
    const row = this.#queries.get(
      "SELECT headers, body FROM answers WHERE job = ?",
      id,
    );
    return row && {
      headers: JSON.parse(String(row["headers"])),
      body: bytesOf(row["body"]),
    };
  }

  /** Notes that a job waits again. */
  requeue(id: string): void {
    this.#queries.run(
      "UPDATE jobs SET status = 'queued', finished_at = NULL, kept_from = NULL, error = NULL WHERE id = ?",
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
        "UPDATE jobs SET done = ?, total = coalesce(?, total) WHERE id = ?",
        progress.done,
        progress.total ?? null,
        id,
      );
    });
  }

  /** Keeps what it takes to go on with a picture. */
  keepHalfway(id: string, image: number, halfway: ResumeState): void {
    this.#queries.run(
      "INSERT OR REPLACE INTO halfways (job, image, state) VALUES (?, ?, ?)",
      id,
      image,
      new Uint8Array(serialize(halfway)),
    );
  }

  /** What was kept, by picture. */
  halfwaysOf(id: string): (ResumeState | undefined)[] {
    const halfways: (ResumeState | undefined)[] = [];
    const rows = this.#queries.all(
      "SELECT image, state FROM halfways WHERE job = ?",
      id,
    );
    for (const { image, state } of rows) {
      halfways[Number(image)] = deserialize(bytesOf(state));
    }
    return halfways;
  }

  /** Notes that a job has ended. */
  end(id: string, { status, finishedAt, answer, error, event }: JobEnd): void {
    this.transact(() => {
      this.#append(id, event.event, event.data);
      this.#queries.run(
        "UPDATE jobs SET status = ?, finished_at = ?, kept_from = ?, error = ? WHERE id = ?",
        status,
        finishedAt,
        this.#keptFrom(finishedAt),
        error === undefined ? null : JSON.stringify(error),
        id,
      );
      if (answer !== undefined) {
        this.#queries.run(
          "INSERT INTO answers (job, headers, body) VALUES (?, ?, ?)",
          id,
          JSON.stringify(answer.headers),
          answer.body,
        );
      }
      // One that can be resumed goes on from them.
      if (!isResumable({ status, error })) {
        this.#queries.run("DELETE FROM halfways WHERE job = ?", id);
      }
    });
  }

  /** What happened next after an event. */
  eventAfter(id: string, after: number): StoredEvent | undefined {
    const row = this.#queries.get(
      "SELECT id, event, data FROM events WHERE job = ? AND id > ? ORDER BY id LIMIT 1",
      id,
      after,
    );
    return row && {
      id: Number(row["id"]),
      event: String(row["event"]),
      data: String(row["data"]),
    };
  }

  /** The number of the event that a job has last; 0 for none. */
  lastEventId(id: string): number {
    const row = this.#queries.get(
      "SELECT coalesce(max(id), 0) AS last FROM events WHERE job = ?",
      id,
    )!;
    return Number(row["last"]);
  }

  /** What events of these kinds are about; their data may be long. */
  subjectsOf(id: string, ...kinds: readonly string[]): EventSubject[] {
    const marks = kinds.map(() => "?").join(", ");
    return this.#queries.all(
      `SELECT event, data ->> 'image_index' AS image, data ->> 'index' AS "index" FROM events WHERE job = ? AND event IN (${marks}) ORDER BY id`,
      id,
      ...kinds,
    ).map(({ event, image, index }) => ({
      event: String(event),
      image: image === null ? undefined : Number(image),
      index: index === null ? undefined : Number(index),
    }));
  }

  /** Forgets a job and all that belongs to it. */
  remove(id: string): void {
    this.#queries.run("DELETE FROM jobs WHERE id = ?", id);
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
