import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { PreparationError } from "../../../deploy/prepare/preparation_error.ts";
import { openSource } from "../../../deploy/prepare/readers/open_source.ts";
import type { ColumnNames } from "../../../deploy/prepare/readers/source.ts";
import {
  INPUT_WRITERS,
  type InputRecord,
  parquet,
} from "../../support/prepared_inputs.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";

const RECORDS: readonly InputRecord[] = ["a", "b", "größe", "d", "e"].map(
  (name, i) => ({
    name,
    text: `text "${i}", of ${name}`,
    picture: Uint8Array.of(0x89, 0x50, i),
  }),
);

/** Reads all of an input. */
async function read(path: string, named: ColumnNames = {}) {
  const source = await openSource(path, undefined, named);
  const records = [];
  for await (const record of source.records()) {
    const { name, text, question, answer } = record;
    const picture = await record.picture().catch((error) => error.message);
    records.push({ name, text, question, answer, picture });
  }
  strictEqual(source.share(), 1);
  return { format: source.format, records };
}

for (const [format, write] of Object.entries(INPUT_WRITERS)) {
  Deno.test(`openSource() recognizes ${format} and reads its records in order`, async () => {
    using folder = temporaryFolder();
    const found = await read(await write(folder, RECORDS));
    strictEqual(found.format, format);
    deepStrictEqual(
      found.records,
      RECORDS.toSorted((a, b) =>
        format === "folder" ? (a.name < b.name ? -1 : 1) : 0
      ).map((record) => ({
        ...record,
        question: undefined,
        answer: undefined,
      })),
    );
  });
}

Deno.test("openSource() reads an input twice alike", async () => {
  for (const write of Object.values(INPUT_WRITERS)) {
    using folder = temporaryFolder();
    const path = await write(folder, RECORDS);
    const source = await openSource(path, undefined, {});
    const names = async () =>
      (await Array.fromAsync(source.records())).map(({ name }) => name);
    deepStrictEqual(await names(), await names());
  }
});

Deno.test("openSource() takes columns of any name", async () => {
  using folder = temporaryFolder();
  folder.write("x.png", RECORDS[0]!.picture);
  const path = folder.write(
    "data.csv",
    "bild,titel,nr,frage,antwort\nx.png,eins,7,was?,x\n",
  );
  const { records } = await read(path, {
    ...{ image: "bild", text: "titel", name: "nr" },
    ...{ question: "frage", answer: "antwort" },
  });
  deepStrictEqual(records, [{
    ...{ name: "7", text: "eins", question: "was?", answer: "x" },
    picture: RECORDS[0]!.picture,
  }]);
});

Deno.test("openSource() reads questions beside pictures of an archive", async () => {
  using folder = temporaryFolder();
  const json = { question: "what?", answer: "a cat", caption: "cat" };
  const { packTar } = await import("modern-tar");
  const body = RECORDS[0]!.picture;
  const entries = [
    { header: { name: "./x/1.JPG", size: body.length }, body },
    {
      header: { name: "./x/1.json", size: JSON.stringify(json).length },
      body: JSON.stringify(json),
    },
    { header: { name: "x/2.txt", size: 1 }, body: "a" },
  ];
  folder.write("train/0.tar", await packTar(entries));
  folder.write("train/0.parquet", parquet(RECORDS));
  const { format, records } = await read(`${folder.path}/train`);
  strictEqual(format, "webdataset");
  deepStrictEqual(records, [
    {
      ...{ name: "x/1", text: "cat", question: "what?", answer: "a cat" },
      picture: body,
    },
    {
      ...{ name: "x/2", text: undefined, question: undefined },
      ...{ answer: undefined, picture: "it has no picture, only txt" },
    },
  ]);
});

Deno.test("openSource() reads a table of a folder of pictures", async () => {
  using folder = temporaryFolder();
  folder.write("images/x.png", RECORDS[0]!.picture);
  folder.write("images/metadata.jsonl", '{"file_name":"x.png","text":"x"}\n');
  const { format, records } = await read(`${folder.path}/images`);
  strictEqual(format, "jsonl");
  strictEqual(records[0]!.text, "x");
  strictEqual(records[0]!.name, "x");
});

Deno.test("SourceRecord reads pictures of data URLs, and refuses others by their reason", async () => {
  using folder = temporaryFolder();
  const lines = [
    { image: "data:image/png;base64,iVA=" },
    { image: "data:image/png,x" },
    { image: "https://example.com/a.png" },
    { image: "missing.png" },
    { image: "" },
    { text: "none" },
  ].map((fields) => JSON.stringify(fields));
  const path = folder.write("data.jsonl", `${lines.join("\n")}\n[1]\n{"\n`);
  const { records } = await read(path);
  deepStrictEqual(records[0]!.picture, Uint8Array.of(0x89, 0x50));
  const reasons = [
    /its data URL is not base64/,
    /its picture is a URL, which is not fetched/,
    /missing\.png cannot be read: there is no such file/,
    /it has no "image"/,
    /it has no "image"/,
    /it is no object/,
    /JSON/,
  ];
  for (const [i, reason] of reasons.entries()) {
    ok(reason.test(`${records[i + 1]!.picture}`), `${records[i + 1]!.picture}`);
  }
});

Deno.test("openSource() notes a text that cannot be read, and names a folder that cannot", async () => {
  using folder = temporaryFolder();
  folder.write("set/a.png", RECORDS[0]!.picture);
  folder.write("set/a.txt/x", "");
  const { records } = await read(`${folder.path}/set`);
  match(String(records[0]!.picture), /^its text cannot be read: /);
  const source = await openSource(`${folder.path}/set`, undefined, {});
  await Deno.remove(`${folder.path}/set`, { recursive: true });
  await rejects(Array.fromAsync(source.records()), /there is no .*\/set/);
});

Deno.test("openSource() says what is wrong with an input", async () => {
  const faults: [
    (folder: TemporaryFolder) => string | Promise<string>,
    RegExp,
    ColumnNames?,
  ][] = [
    [({ path }) => `${path}/x`, /there is no .*\/x/],
    [({ path }) => path, /has no pictures \(\.png/],
    [({ write }) => write("a", ""), /a is empty/],
    [({ write }) => write("a", "[]"), /a has no records/],
    [({ write }) => write("a.csv", "image,text\n"), /a\.csv has no records/],
    [
      ({ write }) => write("a", "hello"),
      /not recognized; set --format/,
    ],
    [
      ({ write }) => write("a.png", Uint8Array.of(0x89, 80, 78, 71, 13, 10)),
      /a\.png is a single picture/,
    ],
    [({ write }) => write("a", '[{"image": 1}, '), /not a complete JSON array/],
    [
      ({ write }) => write("a", '[{"image": 1} 5]'),
      /not a complete JSON array/,
    ],
    [({ write }) => write("a", "PAR1"), /not a complete Parquet file/],
    [
      ({ write }) => write("a.tar", "x".repeat(700)),
      /not a complete tar archive/,
    ],
    [
      ({ write }) => write("a.csv", 'image,text\n"a,b\n'),
      /a\.csv is no table/,
    ],
    [
      ({ write }) => write("a.csv", "x,y\n1,2\n"),
      /no column of a\.csv looks like one of pictures; .*"x", "y"/,
    ],
    [
      ({ write }) => write("a.csv", "image,y\n1,2\n"),
      /a\.csv has no column "z" \(--text-column\), only "image", "y"/,
      { text: "z" },
    ],
    [
      ({ write }) => write("a.jsonl", '{"y": 1}\n'),
      /no column of a\.jsonl, record 1 looks like/,
    ],
  ];
  for (const [write, message, named] of faults) {
    using folder = temporaryFolder();
    await rejects(
      async () => await read(await write(folder), named),
      (error) => {
        ok(error instanceof PreparationError, `${error}`);
        ok(message.test(error.message), error.message);
        return true;
      },
    );
  }
});

Deno.test("RecordSource counts its share of the input as records are handed out", async () => {
  using folder = temporaryFolder();
  const rows = Array.from(
    { length: 2000 },
    (_, i) => ({ name: i, image: "x" }),
  );
  const path = folder.write("data.json", JSON.stringify(rows));
  const source = await openSource(path, undefined, {});
  let count = 0;
  let before = 0;
  for await (const _ of source.records()) {
    const share = source.share();
    ok(share >= before);
    ok(Math.abs(share - ++count / rows.length) < 0.1, `${share} at ${count}`);
    before = share;
  }
});
