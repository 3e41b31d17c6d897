/**
 * The drawings of a model server, read from its store of jobs.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";

/** A job that a chain submitted. */
export interface Drawing {
  /** Idempotency key: chain, workflow key and step. */
  readonly key: string;
  /** Status. */
  readonly status: string;
  /** Body of its request, the same in every run of a chain. */
  readonly body: string;
  /** Rows of codes that were drawn, a second time if a row was drawn twice. */
  readonly rows: number;
  /** Rows of the picture. */
  readonly total: number;
  /** Time of its end, in milliseconds since 1970. */
  readonly finishedAt: number | null;
}

const QUERY = `
SELECT coalesce(idempotency.key, '') AS key, jobs.status, jobs.total,
  jobs.finished_at AS finishedAt,
  CAST(requests.body AS TEXT) AS body,
  (SELECT count(*) FROM events
    WHERE events.job = jobs.id AND events.event = 'row') AS rows
FROM jobs
JOIN requests ON requests.job = jobs.id
LEFT JOIN idempotency ON idempotency.job = jobs.id
WHERE jobs.path LIKE '/v1/generate%'
ORDER BY jobs.created_at
`;

/**
 * Returns all drawings of the store at `path`, oldest first: captions that a
 * stopping server interrupted are jobs as well, which nobody resumes.
 */
export function drawings(path: string): Drawing[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(QUERY).all() as unknown as Drawing[];
  } finally {
    database.close();
  }
}
