import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import {
  IN_MEMORY,
  openDatabase,
  StoreError,
  transact,
} from "../../../../functions/jobs/store/database.ts";
import { AnswerStore } from "../../../../functions/jobs/store/answer_store.ts";
import { JobStore } from "../../../../functions/jobs/store/job_store.ts";
import { MIGRATIONS } from "../../../../functions/jobs/store/migrations.ts";
import { Queries } from "../../../../functions/jobs/store/queries.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

/** Rows of each version, with the version that adds them first. */
const ROWS: readonly (readonly [version: number, sql: string])[] = [
  [
    1,
    `INSERT INTO jobs (id, principal, status, created_at, started_at, finished_at, seed, path, headers, body, done, total, answer_headers, answer_body, error) VALUES
      ('done', 'a', 'succeeded', 1, 2, 3, 7, '/v1/generate', '{"accept":"*/*"}', x'01', 4, 4, '{"content-type":"x/y"}', x'0203', NULL),
      ('cut', 'a', 'interrupted', 1, 2, 3, 7, '/v1/generate', '{}', x'04', 1, 4, NULL, NULL, NULL)`,
  ],
  [
    1,
    `INSERT INTO events VALUES ('cut', 1, 'row', '{"image_index":0,"index":0}')`,
  ],
  [1, `INSERT INTO halfways VALUES ('cut', 0, x'05')`],
  [
    2,
    `INSERT INTO idempotency VALUES ('a', 'k', 'f', 1, 'done', 200, '{}', x'06')`,
  ],
  [3, `UPDATE jobs SET webhook = '{"url":"https://w","events":["failed"]}'`],
  [
    3,
    `INSERT INTO deliveries VALUES ('msg', 'done', 'https://w', '{}', 1, 9)`,
  ],
  [4, `UPDATE jobs SET prediction = '{"model":"m"}'`],
];

function tableNames(database: DatabaseSync): string[] {
  return database.prepare(
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
  ).all().map(({ sql }) => String(sql));
}

/** Creates a file as `version` of the program left it, after all before it. */
function oldStore(path: string, version: number): void {
  for (let step = 0; step <= version; step++) {
    const database = openDatabase(path, MIGRATIONS.slice(0, step));
    for (const [since, sql] of ROWS) if (since === step) database.exec(sql);
    database.close();
  }
}

for (const [i] of MIGRATIONS.entries()) {
  Deno.test(`openDatabase() keeps every row of a store of version ${i}`, () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "jobs.sqlite");
    oldStore(path, i);
    const database = openDatabase(path);
    const fresh = openDatabase(IN_MEMORY);
    deepStrictEqual(tableNames(database), tableNames(fresh));
    fresh.close();
    const queries = new Queries(database);
    const jobs = new JobStore(queries);
    if (i >= 1) {
      const { status, progress, webhook } = jobs.find("done")!;
      strictEqual(status, "succeeded");
      deepStrictEqual(progress, { done: 4, total: 4 });
      strictEqual(webhook?.url, i >= 3 ? "https://w" : undefined);
      deepStrictEqual(jobs.requestOf("done"), {
        path: "/v1/generate",
        headers: { accept: "*/*" },
        body: Uint8Array.of(1),
      });
      deepStrictEqual(jobs.answerOf("done"), {
        headers: { "content-type": "x/y" },
        body: Uint8Array.of(2, 3),
      });
      deepStrictEqual(jobs.requestOf("cut").body, Uint8Array.of(4));
      strictEqual(jobs.answerOf("cut"), undefined);
      strictEqual(jobs.eventAfter("cut", 0)?.event, "row");
      deepStrictEqual(
        queries.get("SELECT state FROM halfways")?.["state"],
        Uint8Array.of(5),
      );
    }
    if (i >= 2) {
      const { answer, job } = new AnswerStore(queries).find("a", "k")!;
      strictEqual(job, "done");
      deepStrictEqual(answer?.body, Uint8Array.of(6));
    }
    if (i >= 3) {
      strictEqual(queries.get("SELECT id FROM deliveries")?.["id"], "msg");
    }
    deepStrictEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
    database.close();
  });
}

Deno.test("openDatabase() migrates a store once", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "deep/er/jobs.sqlite");
  openDatabase(path).close();
  const again = openDatabase(path);
  deepStrictEqual({ ...again.prepare("PRAGMA user_version").get() }, {
    "user_version": MIGRATIONS.length,
  });
  again.close();
});

Deno.test("openDatabase() leaves the store at the version before a failed step", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  oldStore(path, 1);
  const broken = [MIGRATIONS[0]!, "CREATE TABLE extra (a); SELECT nonsense"];
  throws(() => openDatabase(path, broken), StoreError);
  const whole = openDatabase(path);
  ok(!tableNames(whole).some((sql) => sql.includes("extra")));
  whole.close();
});

/** Unusable paths, and the message of each. */
const UNUSABLE: readonly (readonly [
  string,
  (folder: ReturnType<typeof temporaryFolder>) => string,
  RegExp,
])[] = [
  [
    "a store of a later version",
    ({ path }) => {
      const file = join(path, "later.sqlite");
      openDatabase(file, [...MIGRATIONS, "SELECT 1"]).close();
      return file;
    },
    /^Cannot use store .*later\.sqlite: it was created by a later version .* set STORE to another file$/,
  ],
  [
    "a file that is no database",
    (folder) => folder.write("notes.txt", "not a database at all. ".repeat(99)),
    /^Cannot use store .*: it is not a store; set STORE to another file$/,
  ],
  [
    "a folder that cannot be made",
    (folder) => join(folder.write("file", "x"), "jobs.sqlite"),
    /^Cannot use store .*; set STORE to a writable file$/,
  ],
  [
    "a folder in place of a file",
    ({ path }) => path,
    /^Cannot use store .*; set STORE to a writable file$/,
  ],
];

for (const [name, make, message] of UNUSABLE) {
  Deno.test(`openDatabase() reports a remedy for ${name}`, () => {
    using folder = temporaryFolder();
    const path = make(folder);
    throws(
      () => openDatabase(path),
      (error) => error instanceof StoreError && message.test(error.message),
    );
  });
}

Deno.test("openDatabase() locks a file until it is closed", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const first = openDatabase(path);
  throws(
    () => openDatabase(path),
    (error) =>
      error instanceof StoreError &&
      /another server has it open; set STORE/.test(error.message),
  );
  first.close();
  openDatabase(path).close();
});

Deno.test("transact() makes all of a change or nothing of it", () => {
  const database = openDatabase(IN_MEMORY, ["CREATE TABLE t (a)"]);
  const insert = () => database.exec("INSERT INTO t VALUES (1)");
  throws(() =>
    transact(database, () => {
      transact(database, insert);
      throw new RangeError("no");
    }), RangeError);
  const count = () => database.prepare("SELECT count(*) AS n FROM t").get()!;
  strictEqual(count()["n"], 0);
  transact(database, () => transact(database, insert));
  strictEqual(count()["n"], 1);
  database.close();
});
