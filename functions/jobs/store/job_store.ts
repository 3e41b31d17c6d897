/**
 * The job store: requests, events and answers on disk.
 *
 * Every change is stored before it is sent, so that clients see the same state
 * after a restart.
 *
 * @module
 */

import type { ResumeState } from "../../../lib/drawing/resume_state.ts";
import type { StoredEvent } from "../../http/sse.ts";
import type { Problem } from "../../http/errors/problem.ts";
import { bytesOf, type Queries, type Row } from "./queries.ts";
import {
  isResumable,
  type Job,
  type JobAnswer,
  type JobProgress,
  type JobRequest,
  type JobStatus,
  type JobWebhook,
  type PredictionOrigin,
} from "../job.ts";
import { resumeStateOf, storedResumeState } from "./stored_resume_state.ts";
import type { WireEvent } from "../../http/call.ts";

/** A job to store. */
export interface NewJob
  extends Pick<Job, "id" | "principal" | "createdAt" | "seed"> {
  /** Request of the job. */
  readonly request: JobRequest;
  /** Receiver of notifications. */
  readonly webhook: JobWebhook | undefined;
  /** Origin of the job, if it is a prediction. */
  readonly prediction: PredictionOrigin | undefined;
}

/** The end of a job. */
export interface JobEnd {
  /** Final status. */
  readonly status: JobStatus;
  /** Time of the end. */
  readonly finishedAt: number;
  /** Answer, if it succeeded. */
  readonly answer?: JobAnswer;
  /** Problem, if it failed. */
  readonly error?: Problem;
  /** Last event of the job. */
  readonly event: WireEvent;
}

/** The subject of an event. */
export interface EventSubject {
  /** Kind of the event. */
  readonly event: string;
  /** Index of the picture or clip; undefined for none. */
  readonly image: number | undefined;
  /** Frame of a clip; undefined for none. */
  readonly frame: number | undefined;
  /** Index of the row, in its frame; undefined for none. */
  readonly index: number | undefined;
}

/** The choice of jobs for a page. */
export interface PageOptions {
  /** Maximum jobs of a page. */
  readonly limit: number;
  /** Maximum bytes of a page. */
  readonly maxBytes: number;
  /** Id of the last job of the page before; undefined for the first page. */
  readonly after?: string | undefined;
  /** True to list predictions only. */
  readonly predictions?: boolean;
  /** Prefix of the ids to list; all by default. */
  readonly prefix?: string;
  /** Order by time; the newest first by default. */
  readonly order?: "asc" | "desc";
}

/** A page of jobs. */
export interface JobPage {
  /** Jobs in order. */
  readonly jobs: readonly Job[];
  /** True if there are more. */
  readonly more: boolean;
}

const COLUMNS =
  "id, principal, status, created_at, started_at, finished_at, seed, path, done, total, error, webhook, prediction";

/** A store of jobs on disk. */
export class JobStore {
  readonly #queries: Queries;
  readonly #keptFrom: (finishedAt: number) => number;

  /**
   * Keeps jobs in the tables behind `queries`.
   *
   * @param keptFrom Returns the start of a job's retention, by the clock that
   * measures its age.
   */
  constructor(
    queries: Queries,
    keptFrom: (finishedAt: number) => number = (finishedAt) => finishedAt,
  ) {
    this.#queries = queries;
    this.#keptFrom = keptFrom;
  }

  /** Stores a queued job. */
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

  /** Returns the job of this id. */
  find(id: string): Job | undefined {
    const row = this.#queries.get(
      `SELECT ${COLUMNS} FROM jobs WHERE id = ?`,
      id,
    );
    return row && jobFromRow(row);
  }

  /**
   * Returns a page of a principal's jobs in order: up to `limit` of them,
   * and up to `maxBytes` of their rows without bodies, but one at least.
   */
  page(principal: string, options: PageOptions): JobPage {
    const { limit, maxBytes, after, predictions, prefix = "" } = options;
    const [beyond, start, order] = options.order === "asc"
      ? [">", 0, "ASC"]
      : ["<", Number.MAX_SAFE_INTEGER, "DESC"];
    const jobs: Job[] = [];
    let bytes = 0;
    let more = false;
    this.#queries.each(
      `SELECT ${COLUMNS}, coalesce(octet_length(error), 0) + coalesce(octet_length(prediction), 0) AS bytes FROM jobs WHERE principal = ? AND rowid ${beyond} coalesce((SELECT rowid FROM jobs WHERE id = ?), ?) AND (prediction IS NOT NULL OR NOT ?) AND substr(id, 1, length(?)) = ? ORDER BY rowid ${order}`,
      [
        principal,
        after ?? null,
        start,
        predictions === true ? 1 : 0,
        prefix,
        prefix,
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

  /** Returns the jobs of these statuses, oldest first. */
  withStatus(...statuses: readonly JobStatus[]): Job[] {
    const marks = statuses.map(() => "?").join(", ");
    return this.#queries.all(
      `SELECT ${COLUMNS} FROM jobs WHERE status IN (${marks}) ORDER BY rowid`,
      ...statuses,
    ).map(jobFromRow);
  }

  /** Returns the request of a job. */
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

  /** Returns the bytes of a job's answer; 0 for none. */
  answerBytes(id: string): number {
    const row = this.#queries.get(
      "SELECT octet_length(body) AS bytes FROM answers WHERE job = ?",
      id,
    );
    return Number(row?.["bytes"] ?? 0);
  }

  /** Returns the answer of a job. */
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

  /** Marks a job as queued again. */
  requeue(id: string): void {
    this.#queries.run(
      "UPDATE jobs SET status = 'queued', finished_at = NULL, kept_from = NULL, error = NULL WHERE id = ?",
      id,
    );
  }

  /** Marks a job as running. */
  start(id: string, now: number): void {
    this.#queries.run(
      "UPDATE jobs SET status = 'running', started_at = coalesce(started_at, ?) WHERE id = ? AND status = 'queued'",
      now,
      id,
    );
  }

  /** Appends an event and the job's progress after it. */
  append(id: string, { event, data }: WireEvent, progress: JobProgress): void {
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

  /** Stores the resume state of a picture. */
  keepResumeState(id: string, image: number, resumeState: ResumeState): void {
    this.#queries.run(
      "INSERT OR REPLACE INTO halfways (job, image, state) VALUES (?, ?, ?)",
      id,
      image,
      storedResumeState(resumeState),
    );
  }

  /** Returns the resume states of a job, by picture. */
  resumeStatesOf(id: string): (ResumeState | undefined)[] {
    const resumeStates: (ResumeState | undefined)[] = [];
    const rows = this.#queries.all(
      "SELECT image, state FROM halfways WHERE job = ?",
      id,
    );
    for (const { image, state } of rows) {
      resumeStates[Number(image)] = resumeStateOf(bytesOf(state));
    }
    return resumeStates;
  }

  /** Marks a job as ended. */
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
      // A resumable job continues from its resume states.
      if (!isResumable({ status, error })) {
        this.#queries.run("DELETE FROM halfways WHERE job = ?", id);
      }
    });
  }

  /** Returns the next event after one. */
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

  /** Returns the id of the job's last event; 0 for none. */
  lastEventId(id: string): number {
    const row = this.#queries.get(
      "SELECT coalesce(max(id), 0) AS last FROM events WHERE job = ?",
      id,
    )!;
    return Number(row["last"]);
  }

  /** Returns the subjects of events of these kinds, without their long data. */
  subjectsOf(id: string, ...kinds: readonly string[]): EventSubject[] {
    const marks = kinds.map(() => "?").join(", ");
    return this.#queries.all(
      `SELECT event, data ->> 'image_index' AS image, data ->> 'frame' AS frame, data ->> 'index' AS "index" FROM events WHERE job = ? AND event IN (${marks}) ORDER BY id`,
      id,
      ...kinds,
    ).map(({ event, image, frame, index }) => ({
      event: String(event),
      image: image === null ? undefined : Number(image),
      frame: frame === null ? undefined : Number(frame),
      index: index === null ? undefined : Number(index),
    }));
  }

  /** Removes a job and all its rows. */
  remove(id: string): void {
    this.#queries.run("DELETE FROM jobs WHERE id = ?", id);
  }

  /** Runs `change` as a atomically. */
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
    // Rows are written by this file alone.
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
