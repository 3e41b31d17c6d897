/**
 * A store in memory, and jobs to put into it.
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

/** All tables of a store. */
export interface JobTables extends Disposable {
  /** The file behind them. */
  readonly database: DatabaseSync;
  /** What they are asked through. */
  readonly queries: Queries;
  /** Jobs. */
  readonly jobs: JobStore;
  /** First answers. */
  readonly answers: AnswerStore;
}

/** Opens a store; one in memory unless there is a path. */
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

/** What a job asks, if nothing else is said. */
export const ASKED: JobRequest = {
  path: "/v1/generate?x=1",
  headers: { accept: "image/png" },
  body: Uint8Array.of(1, 2, 3),
};

/** A job that is to be kept. */
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

/** A job's good end. */
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
