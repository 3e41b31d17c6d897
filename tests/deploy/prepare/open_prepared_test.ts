import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { openPrepared } from "../../../deploy/prepare/open_prepared.ts";
import { PreparedSetError } from "../../../deploy/prepare/preparation_error.ts";
import { jsonLine } from "../../../deploy/prepare/sets/jsonl_shard.ts";
import { manifestText } from "../../../deploy/prepare/sets/set_manifest.ts";
import { writePth } from "../../../deploy/prepare/torch/write_pth.ts";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { manyRecords } from "../../support/prepared_records.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";

const RECORDS = manyRecords(7);

/** Writes records as JSONL, in files of `size`. */
function writeJsonl(
  folder: TemporaryFolder,
  records: readonly PreparedRecord[],
  { under = "", size = 3 } = {},
): void {
  const shards = [];
  for (let i = 0; i < records.length; i += size) {
    const part = records.slice(i, i + size);
    const file = `data-${i}.jsonl`;
    folder.write(
      `${under}${file}`,
      part.map((record) => `${jsonLine(record)}\n`).join(""),
    );
    shards.push({ file, records: part.length });
  }
  folder.write(
    `${under}manifest.json`,
    manifestText({ form: "jsonl", shards }),
  );
}

/** Asserts that the set in `path` has `records`, read in any order. */
async function holds(
  path: string,
  records: readonly PreparedRecord[],
): Promise<void> {
  await using set = await openPrepared(path);
  strictEqual(set.length, records.length);
  for (const [i, record] of [...records.entries()].reverse()) {
    deepStrictEqual(await set.read(i), record);
  }
}

Deno.test("openPrepared() reads shards of JSONL at random", async () => {
  using folder = temporaryFolder();
  writeJsonl(folder, RECORDS);
  await holds(folder.path, RECORDS);
});

Deno.test("openPrepared() reads the released form, also where it was moved", async () => {
  using folder = temporaryFolder();
  for (const record of RECORDS) {
    folder.write(`feature/${record.key}.pth`, writePth(record, record.key));
  }
  const names = RECORDS.map(({ key }) => `${key}.pth`);
  folder.write(
    "list/train.json",
    JSON.stringify({ prefix: "/elsewhere/feature", "path_list": names }),
  );
  await holds(folder.path, RECORDS);
  await Deno.rename(`${folder.path}/feature`, `${folder.path}/codes`);
  folder.write(
    "list/train.json",
    JSON.stringify({ prefix: "codes", "path_list": names }),
  );
  await holds(folder.path, RECORDS);
});

Deno.test("openPrepared() joins the parts of several runs in order", async () => {
  using folder = temporaryFolder();
  writeJsonl(folder, RECORDS.slice(0, 4), { under: "shard-00000-of-00002/" });
  writeJsonl(folder, RECORDS.slice(4), { under: "shard-00001-of-00002/" });
  await holds(folder.path, RECORDS);
});

Deno.test("PreparedSet rejects an index out of range", async () => {
  using folder = temporaryFolder();
  writeJsonl(folder, RECORDS);
  await using set = await openPrepared(folder.path);
  for (const index of [-1, 7, 0.5]) {
    await rejects(set.read(index), RangeError);
  }
});

Deno.test("openPrepared() reports the fault of a set", async () => {
  const faults: [(folder: TemporaryFolder) => void, RegExp][] = [
    [() => {}, /neither list\/train\.json nor manifest\.json/],
    [
      ({ path }) => Deno.mkdirSync(`${path}/manifest.json`),
      /manifest\.json: it is a folder; name a file$/,
    ],
    [({ write }) => write("manifest.json", "{"), /manifest\.json: /],
    [({ write }) => write("manifest.json", "[]"), /not a JSON object/],
    [({ write }) => write("manifest.json", "{}"), /form is not one of jsonl/],
    [
      ({ write }) =>
        write("manifest.json", '{"form":"jsonl","shards":[{"file":"../a"}]}'),
      /list of shards is damaged/,
    ],
    [({ write }) => write("list/train.json", "{}"), /no prefix/],
    [
      (folder) => writeJsonl(folder, RECORDS, { under: "shard-1-of-2/" }),
      /part 0\/2 is missing/,
    ],
    [({ write }) => write("shard-0-of-1/x", ""), /prepare this part again/],
    [
      (folder) => {
        writeJsonl(folder, RECORDS, { under: "shard-0-of-1/" });
        writeJsonl(folder, RECORDS, { under: "shard-0-of-2/" });
      },
      /parts of different counts/,
    ],
  ];
  for (const [write, message] of faults) {
    using folder = temporaryFolder();
    write(folder);
    await rejects(openPrepared(folder.path), (error) => {
      strictEqual(error instanceof PreparedSetError, true, `${error}`);
      strictEqual(message.test(`${error}`), true, `${error}`);
      return true;
    });
  }
});

Deno.test("openPrepared() rejects a path that is no folder, with the remedy", async () => {
  using folder = temporaryFolder();
  await rejects(
    openPrepared(`${folder.path}/none`),
    /: it does not exist; make it with task prepare-data$/,
  );
  await rejects(
    openPrepared(folder.write("set.zip", "")),
    /: it is a file; name the folder that task prepare-data wrote$/,
  );
});

Deno.test("PreparedSet names a listed file that does not exist", async () => {
  for (const form of ["jsonl", "parquet", "webdataset"] as const) {
    using folder = temporaryFolder();
    const shards = [{ file: "data.x", records: 1 }];
    folder.write("manifest.json", manifestText({ form, shards }));
    await using set = await openPrepared(folder.path);
    await rejects(
      set.read(0),
      /data\.x: it does not exist; restore it, or prepare the set again$/,
    );
  }
});

Deno.test("PreparedSet names the damaged record and its file", async () => {
  const lines: [string, RegExp][] = [
    ["{", /data\.jsonl: line 1: /],
    ["{}", /no codes/],
    ['{"codes":[[1]]}', /no key or no text/],
    [
      '{"key":"a","text":"","height":2,"width":1,"codes":[[1]]}',
      /"a" has 1 codes for a grid of 2 × 1/,
    ],
    [
      '{"key":"a","text":"","height":1,"width":1,"codes":[[70000]]}',
      /"a" has the code 70000/,
    ],
    [
      '{"key":"a","text":"","height":1,"width":1,"codes":[[0.5]]}',
      /"a" has the code 0\.5/,
    ],
  ];
  for (const [line, message] of lines) {
    using folder = temporaryFolder();
    folder.write("data.jsonl", `${line}\n`);
    folder.write(
      "manifest.json",
      manifestText({
        form: "jsonl",
        shards: [{ file: "data.jsonl", records: 1 }],
      }),
    );
    await using set = await openPrepared(folder.path);
    await rejects(set.read(0), { name: "PreparedSetError", message });
  }
});
