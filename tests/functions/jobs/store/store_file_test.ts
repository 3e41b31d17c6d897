import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import {
  openDatabase,
  StoreError,
} from "../../../../functions/jobs/store/database.ts";
import { MIGRATIONS } from "../../../../functions/jobs/store/migrations.ts";
import { readSqliteFacts } from "../../../../functions/jobs/store/sqlite_file.ts";
import { APPLICATION_ID } from "../../../../functions/jobs/store/store_file.ts";
import {
  everythingIn,
  makeDatabase,
  type OtherDatabase,
} from "../../../support/sqlite_files.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

/** Arbitrary databases of any program, with this one's names among them. */
const anyDatabase: fc.Arbitrary<OtherDatabase> = fc.record({
  pageBytes: fc.constantFrom(512, 1024, 4096, 65_536),
  wal: fc.boolean(),
  killed: fc.boolean(),
  applicationId: fc.constantFrom(0, 1, 0x7fff_ffff),
  userVersion: fc.constantFrom(0, 1, 5, 6, 1_000),
  tables: fc.uniqueArray(
    fc.oneof(
      fc.constantFrom("jobs", "events", "halfways", "answers", "Jobs"),
      fc.stringMatching(/^[a-z ]{1,40}$/).filter((name) =>
        !name.startsWith("sqlite_")
      ),
    ),
    { selector: (name) => name.toLowerCase(), maxLength: 60 },
  ),
});

Deno.test("readSqliteFacts() reads the same as SQLite, and leaves no trace", () => {
  fc.assert(
    fc.property(anyDatabase, (made) => {
      using folder = temporaryFolder();
      const path = join(folder.path, "other.sqlite");
      makeDatabase(path, made);
      const before = everythingIn(folder.path);
      const facts = readSqliteFacts(path)!;
      deepStrictEqual(everythingIn(folder.path), before);
      strictEqual(facts.applicationId, made.applicationId);
      strictEqual(facts.userVersion, made.userVersion);
      deepStrictEqual([...facts.tables!].sort(), [...made.tables].sort());
    }),
    { numRuns: 25 },
  );
});

Deno.test("openDatabase() refuses the file of another program unchanged", () => {
  fc.assert(
    fc.property(
      anyDatabase.filter(({ applicationId, userVersion, tables }) =>
        applicationId !== 0 || userVersion === 0 && tables.length > 0 ||
        userVersion > 5 || !tables.includes("jobs")
      ).filter(({ applicationId, userVersion, tables }) =>
        applicationId + userVersion + tables.length > 0
      ),
      (made) => {
        using folder = temporaryFolder();
        const path = join(folder.path, "other.sqlite");
        makeDatabase(path, made);
        const before = everythingIn(folder.path);
        throws(
          () => openDatabase(path),
          (error) =>
            error instanceof StoreError &&
            /: it belongs to another program; set STORE to another file$/
              .test(error.message),
        );
        deepStrictEqual(everythingIn(folder.path), before);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("openDatabase() refuses a later store unchanged, also after a killed process", () => {
  for (const killed of [false, true]) {
    using folder = temporaryFolder();
    const path = join(folder.path, "jobs.sqlite");
    makeDatabase(path, {
      pageBytes: 4096,
      wal: true,
      killed,
      applicationId: APPLICATION_ID,
      userVersion: MIGRATIONS.length + 1,
      tables: ["jobs", "more"],
    });
    const before = everythingIn(folder.path);
    throws(
      () => openDatabase(path),
      /: it was created by a later version .*; set STORE/,
    );
    deepStrictEqual(everythingIn(folder.path), before);
  }
});

Deno.test("readSqliteFacts() accepts any bytes", () => {
  using folder = temporaryFolder();
  const good = join(folder.path, "good.sqlite");
  const tables = Array.from({ length: 50 }, (_, i) => `t${i}`);
  makeDatabase(good, {
    pageBytes: 512,
    wal: true,
    killed: true,
    applicationId: 0,
    userVersion: 1,
    tables,
  });
  const file = Deno.readFileSync(good);
  const log = Deno.readFileSync(`${good}-wal`);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }),
      fc.nat(),
      fc.nat(),
      (changes, cut, cutLog) => {
        const bytes = file.slice(0, 1 + cut % file.length);
        const logged = log.slice(0, cutLog % log.length);
        for (const [at, byte] of changes) {
          bytes[100 + at % bytes.length] = byte;
          logged[at % Math.max(1, logged.length)] = byte;
        }
        const path = folder.write("any.sqlite", bytes);
        folder.write("any.sqlite-wal", logged);
        readSqliteFacts(path);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("openDatabase() reports a damaged page with a remedy", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const database = openDatabase(path);
  for (let i = 0; i < 200; i++) {
    database.exec(
      `INSERT INTO jobs (id, principal, status, created_at, seed, path) VALUES ('${i}', '${
        "x".repeat(500)
      }', 'succeeded', 1, 1, '/')`,
    );
  }
  database.close();
  const { size } = Deno.statSync(path);
  {
    using file = Deno.openSync(path, { write: true });
    file.seekSync(size - 3 * 4096, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(4096).fill(7));
  }
  throws(() => openDatabase(path), (error) => {
    ok(error instanceof StoreError);
    match(
      error.message,
      /it is damaged \(.+\); move .* away to start .*, or/,
    );
    match(error.message, /sqlite3 .* \.recover/);
    return true;
  });
  strictEqual(Deno.statSync(path).size, size);
});

Deno.test({
  name: "openDatabase() keeps a store for its owner alone",
  ignore: Deno.build.os === "windows",
  fn: () => {
    using folder = temporaryFolder();
    const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;
    const path = join(folder.path, "made/here/jobs.sqlite");
    const database = openDatabase(path);
    database.exec(
      "INSERT INTO idempotency VALUES ('a','k','f',1,NULL,NULL,NULL,NULL)",
    );
    strictEqual(modeOf(join(folder.path, "made")), 0o700);
    strictEqual(modeOf(path), 0o600);
    strictEqual(modeOf(`${path}-wal`), 0o600);
    database.close();
    Deno.chmodSync(path, 0o664);
    openDatabase(path).close();
    strictEqual(modeOf(path), 0o600);
  },
});

Deno.test("openDatabase() follows a link to a store, and refuses broken links and links to other files", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "real/jobs.sqlite");
  openDatabase(path).close();
  const database = openDatabase(folder.link("link.sqlite", path));
  strictEqual(
    database.prepare("PRAGMA application_id").get()!["application_id"],
    APPLICATION_ID,
  );
  database.close();
  const nowhere = folder.link("dangling.sqlite", join(folder.path, "none"));
  throws(() => openDatabase(nowhere), /it is a broken symbolic link/);
  ok(![...Deno.readDirSync(folder.path)].some(({ name }) => name === "none"));
  const victim = folder.write("victim.txt", "precious ".repeat(99));
  const planted = folder.link("planted.sqlite", victim);
  throws(() => openDatabase(planted), /it is not a store/);
  strictEqual(Deno.readTextFileSync(victim), "precious ".repeat(99));
});

Deno.test("openDatabase() names a store of a version before application ids", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const old = new DatabaseSync(path);
  old.exec("PRAGMA journal_mode = WAL");
  for (const step of MIGRATIONS.slice(0, 4)) old.exec(step);
  old.exec("PRAGMA user_version = 4");
  old.close();
  const database = openDatabase(path);
  strictEqual(
    database.prepare("PRAGMA application_id").get()!["application_id"],
    APPLICATION_ID,
  );
  database.close();
});
