/**
 * The job store in memory, and jobs for it.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { AnswerStore } from "../../functions/jobs/store/answer_store.ts";
import {
  IN_MEMORY,
  openDatabase,
} from "../../functions/jobs/store/database.ts";
import type { JobRequest } from "../../functions/jobs/job.ts";
import {
  type JobEnd,
  JobStore,
  type NewJob,
} from "../../functions/jobs/store/job_store.ts";
import { Queries } from "../../functions/jobs/store/queries.ts";

/** The tables of a store. */
export interface JobTables extends Disposable {
  /** Database of the tables. */
  readonly database: DatabaseSync;
  /** Prepared queries. */
  readonly queries: Queries;
  /** Table of jobs. */
  readonly jobs: JobStore;
  /** Table of idempotent answers. */
  readonly answers: AnswerStore;
}

/** Opens a store, in memory by default. */
export function openTables(path = IN_MEMORY): JobTables {
  const database = openDatabase(path);
  const queries = new Queries(database);
  return {
    database,
    queries,
    jobs: new JobStore(queries),
    answers: new AnswerStore(queries),
    [Symbol.dispose]: () => database.close(),
  };
}

/** Request of a job, by default. */
export const ASKED: JobRequest = {
  path: "/v1/generate?x=1",
  headers: { accept: "image/png" },
  body: Uint8Array.of(1, 2, 3),
};

/** Creates a job to insert. */
export function newJob(id: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    id,
    principal: "anonymous",
    createdAt: 1,
    seed: 7,
    request: ASKED,
    webhook: undefined,
    prediction: undefined,
    ...changes,
  };
}

/** Creates the successful end of a job. */
export function success(finishedAt: number, bytes = 3): JobEnd {
  return {
    status: "succeeded",
    finishedAt,
    answer: {
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes),
    },
    event: { event: "completed", data: {} },
  };
}
