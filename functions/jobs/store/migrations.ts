/**
 * The migrations: the schema of the store, as the steps that led to it.
 *
 * A file of any earlier version is migrated step by step when it is opened;
 * SQLite's `user_version` counts the steps taken. Released steps are never
 * changed, only new ones added.
 *
 * Times are milliseconds since 1970; bodies and answers are bytes.
 *
 * @module
 */

const JOBS = `
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  seed INTEGER NOT NULL,
  path TEXT NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER,
  answer_headers TEXT,
  answer_body BLOB,
  error TEXT
) STRICT;
CREATE INDEX jobs_by_age ON jobs (created_at);
CREATE TABLE events (
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  id INTEGER NOT NULL,
  event TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE halfways (
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  image INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (job, image)
) STRICT, WITHOUT ROWID;
`;

const IDEMPOTENCY = `
CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  job TEXT REFERENCES jobs ON DELETE CASCADE,
  status INTEGER,
  headers TEXT,
  body BLOB,
  PRIMARY KEY (principal, key)
) STRICT;
`;

const WEBHOOKS = `
ALTER TABLE jobs ADD COLUMN webhook TEXT;
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_due ON deliveries (due_at);
`;

const PREDICTIONS = `
ALTER TABLE jobs ADD COLUMN prediction TEXT;
`;

// SQLite rewrites whole rows: long columns are apart from those that change
// often.
const BODIES_APART = `
CREATE TABLE requests (
  job TEXT PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  headers TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
INSERT INTO requests SELECT id, headers, body FROM jobs;
CREATE TABLE answers (
  job TEXT PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  headers TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
INSERT INTO answers SELECT id, answer_headers, answer_body FROM jobs
  WHERE answer_headers IS NOT NULL;
ALTER TABLE jobs DROP COLUMN headers;
ALTER TABLE jobs DROP COLUMN body;
ALTER TABLE jobs DROP COLUMN answer_headers;
ALTER TABLE jobs DROP COLUMN answer_body;
DROP INDEX jobs_by_age;
CREATE INDEX jobs_by_end ON jobs (finished_at);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE INDEX idempotency_by_job ON idempotency (job);
CREATE INDEX deliveries_by_job ON deliveries (job);
`;

// Earlier versions did not limit echoes of predictions and lists of issues:
// longer ones than the current limit are dropped, so that lists of jobs stay
// short.
const SHORT_ROWS = `
UPDATE jobs SET prediction = json_set(prediction, '$.input', json('{}'))
  WHERE octet_length(prediction) > 65536;
UPDATE jobs SET error = json_remove(error, '$.errors')
  WHERE octet_length(error) > 65536;
CREATE INDEX jobs_by_principal ON jobs (principal);
`;

// Ages are measured by a clock that does not jump.
const RETENTION_CLOCK = `
CREATE TABLE retention_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  now INTEGER NOT NULL,
  wall INTEGER NOT NULL
) STRICT;
CREATE TABLE probe (bytes BLOB NOT NULL) STRICT;
ALTER TABLE jobs ADD COLUMN kept_from INTEGER;
UPDATE jobs SET kept_from = finished_at;
DROP INDEX jobs_by_end;
CREATE INDEX jobs_by_age ON jobs (kept_from);
`;

/** Steps from an empty file to the current schema. */
export const MIGRATIONS: readonly string[] = [
  JOBS,
  IDEMPOTENCY,
  WEBHOOKS,
  PREDICTIONS,
  BODIES_APART,
  SHORT_ROWS,
  RETENTION_CLOCK,
];
